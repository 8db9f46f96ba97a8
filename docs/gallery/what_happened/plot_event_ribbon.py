"""
How many actions arrived, departed and were in progress?
========================================================

Arrivals as bars upwards, departures downwards, actions in progress as a line; markers of the event.

Bars above the line are arrivals, bars below it departures; the black line is the actions in progress. The grey part
is not known yet.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    tonight = client.actions(periods.tail(1))  # an event that is still running

pk.plots.event_ribbon(tonight, periods, tz="Europe/London")
