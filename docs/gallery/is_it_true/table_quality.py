"""
What is wrong with the records?
===============================

Each check that found something: how often, what it does to the numbers, and whom to ask.

Nothing is repaired silently. ``pk.quality`` counts; ``pk.quality_advice`` says what to do.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    actions = client.actions(periods)

pk.quality_advice(pk.quality(actions, periods))[["check", "count", "effect", "ask"]]
