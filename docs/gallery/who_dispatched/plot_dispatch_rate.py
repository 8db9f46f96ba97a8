"""
How much does AI dispatch, and where?
=====================================

Share dispatched by AI in each channel with its interval.

Each point is a share and its bar the interval; the dashed line is all actions together. ``by="period_name"`` draws
the rate over the season.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.dispatch_rate(actions, by="channel")
