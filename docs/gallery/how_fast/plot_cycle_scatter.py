"""
When was it slow?
=================

Each action at the time it was created, by its cycle time; open ones as triangles.

Each mark is an action; higher ones took longer. Triangles are open actions at their age, and can only rise.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    tonight = client.actions(periods.tail(1))  # an event that is still running

pk.plots.cycle_scatter(tonight, periods, target="20min", tz="Europe/London")
