"""
The AI-dispatch rate by channel
===============================

The share dispatched by AI in each channel, with a Wilson interval.

Whether AI dispatched an action may be unknown. Such actions have a column of their own, and are not in the rate.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.format_table(pk.ai_dispatch_rate(actions, by="channel"))
