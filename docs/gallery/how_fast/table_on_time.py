"""
How many were on time?
======================

The share closed within a target, with its interval and with bounds for what is not yet known.

An open action past the target is a miss. One that is younger is undetermined: ``worst`` counts it as a miss, ``best``
as met.
"""

import periodkit as pk

with pk.demo_client() as client:
    tonight = client.actions(client.periods().tail(1))

pk.format_table(pk.on_time(tonight, "20min", by="channel"))
