"""
AI dispatch, plainly and among like work
========================================

The share attended to within a target, AI-dispatched and not, and their difference among actions of one classification.

This is what AI dispatch is associated with, not what it caused: people may have given AI the easier work in ways that
no column shows. The sentence says what limits the comparison.
"""

import periodkit as pk
from periodkit import answers

with pk.demo_client() as client:
    actions = client.actions(client.periods())

effect = pk.ai_effect(actions, target="5min")
print(answers.ai_effect(effect))
effect.filter(regex="difference").T
