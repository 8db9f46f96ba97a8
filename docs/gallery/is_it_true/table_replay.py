"""
Why not the median of what is closed?
=====================================

The median at half past each hour of a running event, from closed actions alone and with open ones counted.

The long ones are still open, so the median of what is closed is too low, and most so when it matters. ``as_of``
replays a moment: what happened after it is not known yet.
"""

import pandas as pd

import periodkit as pk

with pk.demo_client() as client:
    tonight = client.actions(client.periods().tail(1))

rows = []
for hour in range(1, 5):
    as_of = tonight["created_time"].min().floor("h") + pd.Timedelta(hours=hour, minutes=30)
    honest = pk.cycle_times(tonight, as_of=as_of).iloc[0]
    closed = pk.cycle_times(tonight, as_of=as_of, method="observed").iloc[0]
    rows.append({"as of": as_of, "open": honest["open"], "closed alone": closed["p50"], "open counted": honest["p50"]})
pd.DataFrame(rows)
