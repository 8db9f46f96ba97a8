"""
When people skip a step
=======================

The time until someone was on it: of the recorded actions, and a bound for all of them.

An action closed without "doing" has no recorded response. By default it is left out and counted;
``skipped="at_close"`` takes it at its closing, which is the latest that it can have been.
"""

import pandas as pd

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

ways = {way: pk.cycle_times(actions, stage="response", skipped=way) for way in ("exclude", "at_close")}
pd.concat(ways, names=["skipped"])[["n", "used", "skipped", "p50", "p90"]].droplevel(1)
