"""
How fast were we?
=================

Share closed by each cycle time, by how it was dispatched, with bands.

A curve further to the left is faster; P50 and P90 are where it crosses the two marked heights. Open actions count for
as long as they were observed. An interval without an upper limit ends in an arrow. More than three groups have no
bands, because these would cover one another; the intervals of P50 and P90 are drawn instead.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.cycle_time_ecdf(actions, by="ai_dispatched", target="15min")
