"""Spark counts what pandas counts: on a real cluster, over Connect, in any session zone, and after a worker was killed.

One cluster and its session serve all. Starting them took 50 to 100 seconds on a machine at four times its capacity; a worker
alone starts in 3 seconds on a quiet one.
"""

import os
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import clusters
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import COUNTED, keyed, picture
from strategies import BY, ROW, _arrow, action, at, frame

import periodkit as pk
from periodkit.errors import ArgumentError, ConfigError, SchemaError
from periodkit.frames.engines import opened
from periodkit.metrics import tally, with_bound

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.skipif(bool(clusters.why_not()), reason=clusters.why_not() or "Spark can run"),
]
law = settings(max_examples=1, deadline=None, suppress_health_check=[*HealthCheck], derandomize=True)


def same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(got, expected, check_exact=True)
    assert got.attrs.get("resolution") == expected.attrs.get("resolution")


# Each of a frame, the key, the moment and the resolution: what counts one stage, and what counts all there is.
COUNTING: dict[str, Any] = {
    "cycle_times": lambda a, by, as_of, r: pk.cycle_times(a, by, "response", as_of=as_of, resolution=r),
    "outcome_curve": lambda a, by, as_of, r: pk.outcome_curve(a, "work", by, as_of=as_of, resolution=r),
    "on_time": lambda a, by, as_of, r: pk.on_time(a, "3min", by=by, skipped="at_close", as_of=as_of),
    "ai_dispatch_rate": lambda a, by, as_of, r: pk.ai_dispatch_rate(a, by, of="assigned"),
    "reroute_rate": lambda a, by, as_of, r: pk.reroute_rate(a, by),
    "routing_matrix": lambda a, by, as_of, r: pk.routing_matrix(a),
    "workload": lambda a, by, as_of, r: pk.workload(a, "2min", as_of=as_of, resolution=r),
}
# Each of actions, periods and the resolution.
SEASON: dict[str, Any] = {
    "stage_quantiles": lambda a, p, r: pk.stage_quantiles(a, "channel", resolution=r),
    "with_bound": lambda a, p, r: with_bound(a, "form.department", resolution=r),
    "season p90": lambda a, p, r: pk.season(a, p, "p90", as_of=p["end_date"].iloc[-2], resolution=r),
    "season on_time": lambda a, p, r: pk.season(a, measure="on_time", target="20min"),
    "season reroute_rate": lambda a, p, r: pk.season(a, p, "reroute_rate", by="form.department"),
    "unusual": lambda a, p, r: pk.unusual(a, p, by=[None, "classification"], resolution=r),
    "ai_effect": lambda a, p, r: pk.ai_effect(a, target="5min", resolution=r),
    "compare": lambda a, p, r: pk.compare(a, "ai_dispatched", "channel", target="5min", resolution=r),
    "ai_funnel": lambda a, p, r: pk.ai_funnel(a, "20min", "channel"),
    "marker_profile": lambda a, p, r: pk.marker_profile(a, p, resolution=r),
    "outlook": lambda a, p, r: pk.outlook(a, a, "1h", resolution=r),
    "workload": lambda a, p, r: pk.workload(a, "1h", resolution=r),
    "describe": lambda a, p, r: pk.describe(a, as_of=p["end_date"].iloc[-2], resolution=r),
    "quality": lambda a, p, r: pk.quality(a, p.assign(start_date=p["start_date"] + pd.Timedelta("1h"))),
}


def cases(names: Iterable[str], zones: Iterable[str], soak: Iterable[str]) -> list[Any]:
    """Return each name with the zone whose turn it is; some of them are for `make soak` alone."""
    return [
        pytest.param(name, zone, marks=pytest.mark.soak if name in soak else (), id=f"{name}-{zone}")
        for name, zone in zip(names, cycle(zones), strict=False)
    ]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with clusters.running_cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture(scope="module")
def driver(cluster):
    with clusters.running_session(cluster.url) as started:
        yield started


@pytest.fixture(scope="module")
def sessions(driver):
    """Two classic sessions in different zones, and a Connect session."""
    from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415

    session, port = driver
    there = session.newSession()
    there.conf.set("spark.sql.session.timeZone", "America/New_York")
    connected = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    connected.conf.set("spark.sql.session.timeZone", "Australia/Lord_Howe")
    yield {"UTC": session, "New York": there, "Connect": connected}
    connected.stop()


@pytest.fixture(scope="module")
def season_files(season_frames, tmp_path_factory):
    """The season as four Parquet files, so that both workers have something to read."""
    path = tmp_path_factory.mktemp("season")
    actions = season_frames[1].drop(columns=["assigned_user_names", "notes"])
    for number in range(4):
        pq.write_table(pa.Table.from_pandas(actions.iloc[number::4], preserve_index=False), path / f"{number}.parquet")
    return str(path)


@pytest.mark.parametrize("zone", ["UTC", "New York", "Connect"])
@law
@given(rows=st.lists(ROW, min_size=100, max_size=120), moment=st.sampled_from([None, 5]))
def test_spark_counts_as_pandas_does(sessions, zone, rows, moment):
    actions = frame(rows)
    spark = sessions[zone].createDataFrame(_arrow(actions))
    for name, count in COUNTING.items():
        for resolution in ("ms", "s") if name in ("cycle_times", "workload") else ("s",):
            arguments = (list(BY), at(moment), resolution)
            same(count(spark, *arguments), count(actions, *arguments))


@pytest.mark.parametrize("name", COUNTING)
def test_no_rows_are_no_rows(sessions, name):
    nothing = frame([])
    spark = sessions["New York"].createDataFrame(
        [], sessions["UTC"].createDataFrame(_arrow(frame([{"created": 1}]))).schema
    )
    same(COUNTING[name](spark, "channel", None, "s"), COUNTING[name](nothing, "channel", None, "s"))


@pytest.mark.parametrize(
    ("name", "zone"), [*cases(SEASON, ["New York"], ["stage_quantiles"]), ("season p90", "Connect")]
)
def test_a_season_is_the_same(sessions, season_files, season_frames, zone, name):
    periods, actions = season_frames[0], season_frames[1].drop(columns=["assigned_user_names", "notes"])
    actions.attrs.clear()  # what the parser said, which files do not hold
    spark = sessions[zone].read.parquet(season_files)
    same(SEASON[name](spark, periods, "s"), SEASON[name](actions, periods, "s"))


# Of a DuckDB relation, and as metrics.
SEEN_ELSEWHERE = ["dispatch_rate", "ai_funnel", "ai_forest", "outcome_areas", "times_by_period", "unusual_forest"]


@pytest.mark.parametrize(("name", "zone"), cases(COUNTED, ["New York", "Connect"], SEEN_ELSEWHERE))
def test_what_is_counted_is_drawn_without_reading_rows(sessions, season_frames, zone, name, monkeypatch):
    monkeypatch.setattr(opened, "_MOST_ROWS", 10)
    actions, table = keyed(season_frames[1], name)
    got = picture(COUNTED[name](sessions[zone].createDataFrame(table), season_frames[0]))
    monkeypatch.setattr(tally.count, "on_cluster", lambda frame: True)  # pandas counts in seconds too
    assert got == picture(COUNTED[name](actions, season_frames[0]))
    assert len(got[0]) > 5


def test_a_plot_of_single_actions_reads_no_more_than_it_can(sessions, season_frames, monkeypatch):
    actions = season_frames[1].head(700)
    spark = sessions["New York"].createDataFrame(_arrow(actions))
    assert picture(pk.plots.cycle_scatter(spark)) == picture(pk.plots.cycle_scatter(actions))
    monkeypatch.setattr(opened, "_MOST_ROWS", 10)
    with pytest.raises(ArgumentError, match="more than the 10 "):
        pk.plots.cycle_scatter(spark)


def test_recorded_calls_are_the_same(sessions, recorded_frames, tmp_path):
    actions = recorded_frames[1]
    pq.write_table(_arrow(actions), tmp_path / "calls.parquet")
    spark = sessions["New York"].read.parquet(str(tmp_path))
    for look in (
        partial(pk.cycle_times, by=["classification", "period_id"], resolution="ms"),
        partial(pk.cycle_times, by="classification", stage="dispatch", canceled="censor", resolution="s"),
        partial(pk.on_time, target="8min", stage="response", by="classification"),
        partial(pk.outcome_curve, resolution="s"),
        partial(pk.workload, resolution="s"),
    ):
        same(look(spark), look(actions))


def test_nulls_of_no_kind_are_nulls_and_times_without_a_zone_are_refused(sessions):
    actions = frame([action(closed=4, status="closed"), action(assigned=2)])
    sessions["New York"].createDataFrame(_arrow(actions)).createOrReplaceTempView("actions")
    spark = sessions["New York"].sql("SELECT * EXCEPT (doing_time), NULL AS doing_time FROM actions")
    same(pk.stage_quantiles(spark, resolution="ms"), pk.stage_quantiles(actions))
    bare = sessions["New York"].sql(
        "SELECT * EXCEPT (closed_time), TIMESTAMP_NTZ '2024-07-01 19:00' AS closed_time FROM actions"
    )
    with pytest.raises(SchemaError, match="'closed_time'"):
        pk.cycle_times(bare)


def test_keys_whose_names_differ_in_case_alone_are_told_apart(sessions):
    actions = frame([action(closed=minute, channel="Bar" if minute > 3 else "Gate") for minute in range(1, 7)])
    actions["Channel"] = actions["channel"].where(actions["closed_time"] > at(4), "Stand")
    spark = sessions["New York"].createDataFrame(_arrow(actions))
    for by in ("Channel", ["channel", "Channel"]):
        same(pk.cycle_times(spark, by), pk.cycle_times(actions, by, resolution="s"))
        same(pk.ai_dispatch_rate(spark, by), pk.ai_dispatch_rate(actions, by))


def test_a_cluster_counts_in_seconds_unless_told_otherwise(sessions, season_files, season_frames):
    spark = sessions["UTC"].read.parquet(season_files)
    assert pk.cycle_times(spark).attrs["resolution"] == "s"
    same(pk.cycle_times(spark), pk.cycle_times(season_frames[1], resolution="s"))
    with pytest.raises(ArgumentError, match=r"90\.5s|no whole number"):
        pk.ai_effect(spark, target="90.5s")
    assert pk.on_time(spark, "90.5s").equals(pk.on_time(season_frames[1], "90.5s"))


@pytest.mark.parametrize("zone", ["New York", "Connect"])
def test_an_archive_is_a_spark_frame(sessions, client, tmp_path, zone):
    archive = pk.Archive(tmp_path / "archive", venue="Harbour's")
    archive.sync(client, start="2024-09-01", end="2024-09-05", form_fields=["department"])
    archive.sync(client, start="2024-09-01", end="2024-10-01", form_fields=["department", "priority"], refresh=True)
    actions, spark = archive.actions(), archive.spark(sessions[zone])
    assert spark.columns == [*actions.columns]
    for by in ("venue", ["form.department", "form.priority"], "period_id"):
        same(pk.cycle_times(spark, by, resolution="ms"), pk.cycle_times(actions, by, resolution="ms"))
    rows = spark.toArrow().to_pandas().sort_values("action_id")["assigned_user_names"]
    assert [[*names] for names in rows] == actions.sort_values("action_id")["assigned_user_names"].tolist()


def test_an_empty_archive_is_an_empty_spark_frame(sessions, client, tmp_path):
    archive = pk.Archive(tmp_path / "archive")
    archive.sync(client, start="1999-01-01", end="1999-01-02")
    spark = archive.spark(sessions["UTC"])
    assert (spark.columns, spark.count()) == ([*archive.actions().columns], 0)
    same(pk.cycle_times(spark), pk.cycle_times(archive.actions(), resolution="s"))


def test_what_is_no_session_is_refused_with_how_to_get_one(client, tmp_path):
    archive = pk.Archive(tmp_path / "archive")
    archive.sync(client, start="1999-01-01", end="1999-01-02")
    with pytest.raises(ConfigError, match=r"periodkit\[spark\]"):
        archive.spark(None)


def test_a_worker_that_is_killed_changes_nothing(cluster, sessions, season_files, season_frames, tmp_path):
    """Each task says in which process it is and waits; one worker dies; then all go on."""
    go, said = tmp_path / "go", tmp_path / "said"
    said.mkdir()

    def wait(batches):  # the workers get it as it stands here: they cannot import this file
        for batch in batches:
            (said / str(os.getpid())).touch()
            while not go.exists():
                time.sleep(0.05)
            yield batch

    spark = sessions["UTC"].read.parquet(season_files)
    spark = spark.select("channel", "created_time", "closed_time", "status", "fetched_at")
    held = spark.mapInArrow(wait, spark.schema)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(pk.cycle_times, held, "channel")
        while len(tasks := [int(path.name) for path in said.iterdir()]) < 2:
            assert not job.done(), job.result()
            time.sleep(0.1)
        cluster.kill_the_worker_of(tasks[0])
        go.touch()
        counted = job.result(clusters.PATIENCE)
    assert sum(worker.poll() is None for worker in cluster.workers) == 1
    same(counted, pk.cycle_times(season_frames[1], "channel", resolution="s"))


def test_the_example_of_the_guide_gives_what_pandas_gives(sessions, tmp_path, season_frames):
    archives = [pk.Archive(tmp_path / name, venue=name) for name in ("north", "south")]
    for archive in archives:
        archive.sync(pk.demo_client())
    text = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "pyspark" in block)
    names = {"archives": archives, "pk": pk}
    exec(code, names)
    both = pd.concat([archive.actions() for archive in archives], ignore_index=True)
    by = ["venue", "classification"]
    same(pk.cycle_times(names["both"], by=by), pk.cycle_times(both, by=by, resolution="s"))


def test_the_load_is_that_of_pandas_whatever_the_key_is_called(sessions, season_frames):
    actions = (
        season_frames[1].drop(columns=["assigned_user_names", "notes"]).rename(columns={"form.department": "form.Dept"})
    )
    rows = sessions["New York"].createDataFrame(pa.Table.from_pandas(actions.head(300), preserve_index=False))
    same(pk.load(rows, "form.Dept"), pk.load(actions.head(300), "form.Dept"))
    venues = rows.selectExpr("*", "IF(action_id % 2 = 0, 'North', 'South') AS venue")
    with pytest.raises(ArgumentError, match="has actions of 'North' and of 'South'"):
        pk.season(venues)
