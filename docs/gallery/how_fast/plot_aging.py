"""
What breaches its target next?
==============================

Ages of the open actions, the oldest at the top, against the target.

Each mark is an open action; those in the shaded part are past the target. The next to pass it are named; up to 25
open actions are all named.
"""

import periodkit as pk

with pk.demo_client() as client:
    tonight = client.actions(client.periods().tail(1))  # an event that is still running

pk.plots.aging(tonight, target="30min", tz="Europe/London")
