"""
What came around kick-off?
==========================

Arrivals around each marker of the event, against the middle 80 % of earlier events.

The line is this event, grey the middle 80 % of earlier ones: one stretch in ten is above it by chance. Diamonds are
above.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    actions = client.actions(periods)

pk.plots.marker_profile(actions, periods, width="15min")
