"""
Which open actions will be late?
================================

Each open action, the time its target leaves it, and how likely it is to pass the target.

``p_late`` is the share of earlier actions of that kind and age that went on past the target.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    tonight = client.actions(periods.tail(1))
    history = client.actions(periods.iloc[:-1])

pk.open_actions(tonight, "60min", history=history).head()
