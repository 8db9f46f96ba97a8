"""
Where does the time go?
=======================

P50 and P90 of each stage, from created to assigned, to doing, to closed.

Medians of stages do not add up to the median of the whole.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.format_table(pk.stage_quantiles(actions))
