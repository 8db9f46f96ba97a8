"""
Parquet files, counted by DuckDB
================================

The same call on files that may be larger than memory.

DuckDB reads the columns that are needed and counts; only the counts reach Python.
"""

import tempfile

import duckdb

import periodkit as pk

folder = tempfile.TemporaryDirectory()
with pk.demo_client() as client:
    client.actions(client.periods()).to_parquet(f"{folder.name}/actions.parquet")

actions = duckdb.read_parquet(f"{folder.name}/*.parquet")
times = pk.cycle_times(actions, by="channel")
folder.cleanup()
pk.format_table(times)
