"""
A lazy Polars frame
===================

The same call on a query that has not run yet.

Filters and new columns are part of the query, so Polars reads no more than is needed.
"""

import polars as pl

import periodkit as pk

with pk.demo_client() as client:
    actions = pl.from_pandas(client.actions(client.periods())).lazy()

weekend = actions.filter(pl.col("created_time").dt.weekday() >= 6)
pk.format_table(pk.ai_dispatch_rate(weekend, by="classification"))
