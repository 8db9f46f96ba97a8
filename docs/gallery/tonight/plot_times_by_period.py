"""
Were some events slower than others?
====================================

P50 and P90 cycle time of each period with their intervals, in order of time.

The upper points are the P90 of each period, the lower ones its P50; their names are in the plot's words. Events
differ from each other by more than their bars show.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    actions = client.actions(periods)

pk.plots.times_by_period(actions, periods, target="20min")
