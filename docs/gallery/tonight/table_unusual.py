"""
What was unusual?
=================

Each measure of an event against the range in which an ordinary night would lie.

The range is a prediction from the nights before: their level or trend, the error of each night's value, and how much
nights differ. ``unusual`` takes into account how many comparisons were made.
"""

import periodkit as pk
from periodkit import answers

with pk.demo_client() as client:
    periods = client.periods().iloc[:-1]  # the last one is still running
    actions = client.actions(periods)

tonight = pk.unusual(actions, periods)
print(answers.unusual(tonight))
tonight.nsmallest(5, "p")[["measure", "by", "group", "value", "low", "high", "unusual"]]
