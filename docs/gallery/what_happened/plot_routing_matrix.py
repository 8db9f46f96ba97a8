"""
Where do actions end up?
========================

First channel against last channel, with the number of actions in each cell.

A row shows where the actions of a first channel ended; the grey diagonal stayed. This is a lower bound: an action
that was re-routed and came back looks as if it had stayed.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.routing_matrix(actions)
