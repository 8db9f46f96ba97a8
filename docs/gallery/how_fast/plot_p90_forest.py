"""
Which kinds are slow?
=====================

P90 cycle time of each classification with its interval, the longest first.

The filled point is the P90, the hollow point the P50. A P90 that is not reached begins at its lower limit and ends in an
arrow; groups of fewer than 20 actions stand as one. A group is certainly over the target only if its whole bar is
to the right of the dotted line.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.p90_forest(actions, by="classification", target="30min")
