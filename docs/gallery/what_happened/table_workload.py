"""
The busiest half-hours
======================

Arrivals, departures and actions in progress, half-hour by half-hour.

The counts are exact. ``freq`` is the length of a bin; bins begin at multiples of it since midnight UTC.
"""

import periodkit as pk

with pk.demo_client() as client:
    tonight = client.actions(client.periods().tail(1))

load = pk.workload(tonight, freq="30min")
load.nlargest(5, "arrivals")
