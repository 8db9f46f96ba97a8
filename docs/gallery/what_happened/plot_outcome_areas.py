"""
How did actions end?
====================

Stacked shares closed, canceled and open by each time since an action was created.

At each time on the axis, blue is the share closed by then and grey the share still open. The numbers under the axis
say how many actions lasted at least that long; where few did, look at the dashed interval.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.outcome_areas(actions, target="15min")
