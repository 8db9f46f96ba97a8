"""
Did AI dispatch go with quicker answers?
========================================

Difference between AI-dispatched and other actions in each classification, and below it plainly and among like work.

Each mark is one kind of work: right of the line, AI-dispatched actions made the target more often. The square is all
work taken together, the diamond compares like with like. The shaded part between them comes of AI having been given
other work. ``strata=`` says what is alike; ``measure="p50"`` draws the ratio of medians. A kind that only one of the
two got is named, not drawn.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.plots.ai_forest(actions, target="5min")
