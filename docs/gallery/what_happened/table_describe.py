"""
An event in one table
=====================

Volume, outcomes, P50 and P90 of every stage, and rates, with their intervals.

``format_table`` writes durations in the unit that fits, and puts intervals beside their estimates.
"""

import periodkit as pk

with pk.demo_client() as client:
    tonight = client.actions(client.periods().tail(1))  # an event that is still running

pk.format_table(pk.describe(tonight))
