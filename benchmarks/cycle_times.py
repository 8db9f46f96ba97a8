"""`cycle_times` against what one would otherwise write: ratios from interleaved runs."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import periodkit as pk

BY = ["classification", "channel"]
SMALL = ["period_id", *BY]  # as a season is asked: some 20,000 groups of 50 in a million actions
SQL = """
SELECT classification, channel, quantile_cont(epoch_ms(closed_time) - epoch_ms(created_time), [0.5, 0.9])
FROM '{path}' WHERE closed_time IS NOT NULL GROUP BY ALL
"""


def make_actions(n):
    rng = np.random.default_rng(7)
    start = np.datetime64("2024-07-01T12:00", "ms")
    created = start + rng.integers(0, 8 * 3_600_000, n).astype("timedelta64[ms]")
    lasts = (np.exp(rng.normal(6.5, 0.9, n)) * 1000).astype("int64").astype("timedelta64[ms]")
    as_of = start + np.timedelta64(8 * 3600 + 600, "s")
    closed = created + lasts
    closed[(closed > as_of) | (rng.random(n) < 0.08)] = np.datetime64("NaT")
    utc = pd.DatetimeTZDtype("us", "UTC")
    kinds = np.array(["Cleaning", "Medical", "Security", "Ticketing", "Traffic", "Maintenance"])
    channels = np.array(["North", "East", "South", "West"])
    return pd.DataFrame(
        {
            "created_time": pd.Series(created).dt.tz_localize("UTC").astype(utc),
            "closed_time": pd.Series(closed).dt.tz_localize("UTC").astype(utc),
            "status": pd.Series(np.where(np.isnat(closed), "open", "closed"), dtype="str"),
            "fetched_at": pd.Series(np.full(n, as_of)).dt.tz_localize("UTC").astype(utc),
            "classification": pd.Series(kinds[rng.integers(0, len(kinds), n)], dtype="str"),
            "channel": pd.Series(channels[rng.integers(0, len(channels), n)], dtype="str"),
            "period_id": pd.Series(rng.integers(0, max(n // 1200, 1), n), dtype="Int64"),
        }
    )


def plain_quantile(actions, by):
    # Its quickest form: open actions have no length, and are skipped without copying the frame.
    length = actions["closed_time"] - actions["created_time"]
    return length.groupby([actions[name] for name in by]).quantile([0.5, 0.9])


def durations(group):
    last = group["closed_time"].fillna(group["fetched_at"])
    return (last - group["created_time"]).dt.total_seconds().to_numpy(), group["closed_time"].notna().to_numpy()


def loop_over_ecdf(actions, by):
    from scipy import stats  # here, as the memory of what runs over Parquet is measured without it

    found = {}
    for key, group in actions.groupby(by):
        times, ended = durations(group)
        survival = stats.ecdf(stats.CensoredData.right_censored(times, ~ended)).sf
        found[key] = [survival.quantiles[np.argmax(survival.probabilities <= 1 - q)] for q in (0.5, 0.9)]
        survival.confidence_interval(method="log-log")
    return found


def loop_over_survfunc(actions, by):
    from statsmodels.duration.survfunc import SurvfuncRight

    found = {}
    for key, group in actions.groupby(by):
        survival = SurvfuncRight(*durations(group))
        found[key] = [survival.quantile_ci(q, method="cloglog") for q in (0.5, 0.9)]
    return found


def interleaved(ways, actions, by, rounds):
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(actions, by)
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


def compare(actions, by, rounds, *, loops):
    ways = {
        "pandas quantile, completed only": plain_quantile,
        "periodkit": lambda frame, by: pk.cycle_times(frame, by=by),
    }
    found = interleaved(ways, actions, by, rounds)
    if loops:
        warnings.simplefilter("ignore", RuntimeWarning)  # both speak of the limits at the last time
        slow = {"loop over scipy.stats.ecdf": loop_over_ecdf, "loop over SurvfuncRight": loop_over_survfunc}
        found |= interleaved(slow, actions, by, 1)
    print(f"{len(actions):,} actions, {actions.groupby(by).ngroups:,} groups")
    for name, seconds in found.items():
        print(f"  {name}: {seconds:.2f} s, {seconds / found['periodkit']:.2f} x periodkit")


def plain_polars(path):
    length = (pl.col("closed_time") - pl.col("created_time")).dt.total_milliseconds()
    closed = pl.scan_parquet(path).filter(pl.col("closed_time").is_not_null())
    found = closed.group_by(BY).agg(length.quantile(q, "linear").alias(str(q)) for q in (0.5, 0.9))
    return found.collect(engine="streaming")


def over_parquet(path, what):
    """Run one query in a process of its own, for its peak memory; print seconds, processor seconds and MiB."""
    engine, _, resolution = what.rpartition(" at ")
    pk.cycle_times(make_actions(100), by=BY)  # what is done once, such as importing, is not measured
    began, used = time.perf_counter(), time.process_time()
    if what == PLAIN_POLARS:
        plain_polars(path)
    elif engine == "Polars":
        pk.cycle_times(pl.scan_parquet(path), by=BY, resolution=resolution)
    else:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone='UTC'; SET memory_limit='700MB'; SET threads=2")
            if engine == "DuckDB":
                pk.cycle_times(connection.read_parquet(path), by=BY, resolution=resolution)
            else:
                connection.sql(SQL.format(path=path)).fetchall()
    wall, processor = time.perf_counter() - began, time.process_time() - used
    # A child's ru_maxrss begins at its parent's; the kernel's own high-water mark does not.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(wall, processor, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)


PLAIN = "hand-written SQL, completed only"
PLAIN_POLARS = "hand-written Polars, completed only"


def engines(path, rounds):
    found = {what: [] for what in (PLAIN, "DuckDB at s", "DuckDB at ms", "Polars at s", "Polars at ms", PLAIN_POLARS)}
    for _ in range(rounds):
        for what, runs in found.items():
            command = [sys.executable, __file__, "--parquet", str(path), what]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{what}: {done.stderr.strip().splitlines()[-1]}")
            runs.append([float(number) for number in done.stdout.split()])
    median = {what: [statistics.median(column) for column in zip(*runs, strict=True)] for what, runs in found.items()}
    for what, (wall, processor, peak) in median.items():
        over = f"{wall / median[PLAIN][0]:.1f} and {processor / median[PLAIN][1]:.1f} x the SQL"
        print(f"  Parquet, {what}: {wall:.2f} s, {processor:.2f} s of processors, {over}, peak {peak:,.0f} MiB")


def main(millions):
    count = int(millions * 1_000_000)
    print(f"{count:,} actions; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "actions.parquet"
        # Of very many, a part at a time: what is measured over Parquet needs no frame of them all.
        part = min(count, 10_000_000)
        actions = make_actions(part)
        table = pa.Table.from_pandas(actions, preserve_index=False)
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(0, count, part):
                writer.write_table(table)
        del table
        if count <= part:
            compare(actions, BY, 5, loops=millions <= 1)
        if millions <= 1:
            compare(actions, SMALL, 3, loops=True)
        del actions
        engines(path, 3)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--parquet"]:
        over_parquet(*sys.argv[2:4])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
