"""
How far did AI dispatch carry?
==============================

Bars of the share dispatched by AI, of those that kept their channel, and of those closed on time.

Each bar is a share of all actions, each number the rate among those that passed the step before.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.ai_funnel(actions, target="20min")
