"""
Where did actions pile up?
==========================

Stacked numbers of actions closed, being worked on, assigned and unassigned over the evening.

The height of a band is the number of actions waiting there, its width the time they waited. Help is needed where a
band widens.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    tonight = client.actions(periods.tail(1))  # an event that is still running

pk.plots.cumulative_flow(tonight, periods, tz="Europe/London")
