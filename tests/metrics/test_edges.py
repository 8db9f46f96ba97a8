"""Every metric on every odd frame: a well-formed answer with its counts, no warning (they are errors) and no exception."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategies import actions, frame
from turns import in_turn

import periodkit as pk
from periodkit.milestones import STAGES
from periodkit.schema import ACTIONS

BY_METRICS: dict[str, Any] = {
    "cycle_times": pk.cycle_times,
    "cycle_times censor": lambda a, by=None: pk.cycle_times(a, by, canceled="censor"),
    "cycle_times observed": lambda a, by=None: pk.cycle_times(a, by, method="observed"),
    "cycle_times response": lambda a, by=None: pk.cycle_times(a, by, stage="response"),
    "cycle_times response at_close": lambda a, by=None: pk.cycle_times(a, by, stage="response", skipped="at_close"),
    "outcome_curve": lambda a, by=None: pk.outcome_curve(a, by=by),
    "outcome_curve at times": lambda a, by=None: pk.outcome_curve(a, by=by, times=["5min"]),
    "on_time": lambda a, by=None: pk.on_time(a, "5min", by=by),
    "on_time censor": lambda a, by=None: pk.on_time(a, "5min", by=by, canceled="censor"),
    "ai_dispatch_rate": pk.ai_dispatch_rate,
    "ai_dispatch_rate assigned": lambda a, by=None: pk.ai_dispatch_rate(a, by, of="assigned"),
    "ai_dispatch_rate all": lambda a, by=None: pk.ai_dispatch_rate(a, by, of="all"),
    "reroute_rate": pk.reroute_rate,
}
WHOLE_METRICS: dict[str, Any] = {
    "routing_matrix": pk.routing_matrix,
    "workload": pk.workload,
    "quality": pk.quality,
    "describe": pk.describe,
    "stage_times": pk.stage_times,
}

NORMAL = [
    {
        "closed": 1 + k % 4,
        "status": "closed",
        "assigned": 0.5,
        "doing": 1,
        "ai_dispatched": bool(k % 2),
        "channel": name,
    }
    for k, name in enumerate(["Bar", "Gate", "Bar", "Gate", "Bar"])
]
for row in NORMAL:
    row["latest_channel"] = "Bar"
ODD: dict[str, pd.DataFrame] = {
    "empty": frame([]),
    "one action": actions(NORMAL[0]),
    "all open": actions({}, {}, {"channel": "Gate"}),
    "all canceled": actions(*({**row, "status": "canceled"} for row in NORMAL)),
    "all canceled, nobody knows when": actions(*({"status": "canceled"} for _ in range(3))),
    "a group of one": actions(*NORMAL, {**NORMAL[0], "channel": "Office"}),
    "zero durations": actions(*({**row, "assigned": 0, "doing": 0, "closed": 0} for row in NORMAL)),
    "ties": actions(*[NORMAL[0]] * 6),
    "all reversed": actions(*({**row, "closed": -5} for row in NORMAL)),
    "AI never known": actions(*({**row, "ai_dispatched": None} for row in NORMAL)),
    "null keys": actions(*({**row, "channel": None, "classification": None} for row in NORMAL), {}),
    "categories": actions(*NORMAL).astype({"channel": "category", "classification": "category", "status": "category"}),
    "nothing given": actions({"created": None, "fetched": None, "channel": None, "classification": None}).assign(
        **dict.fromkeys(("period_id", "action_id"))
    ),
}
ODD["all null"] = pd.DataFrame({name: [None] * 3 for name in ODD["empty"].columns}).astype(ODD["empty"].dtypes)
ODD["all null, of no kind"] = pd.DataFrame({name: [None] * 3 for name in ODD["empty"].columns}, dtype="object")
KEYS: dict[str, Any] = {
    "no": None,
    "channel": "channel",
    "AI": "ai_dispatched",
    "two": ["classification", "channel"],
    "three": ["period_id", "channel", "ai_dispatched"],
}
COUNTS = [
    "n",
    "used",
    "events",
    "open",
    "canceled",
    "left",
    "skipped",
    "not_started",
    "invalid",
    "unknown",
    "met",
    "missed",
]
COUNTS += ["undetermined", "at_risk", "ai", "not_ai", "rerouted", "stayed"]
NORMAL_FRAME = actions(*NORMAL)

each_odd = pytest.mark.parametrize("odd", ODD)


def as_list(by):
    return [] if by is None else [by] if isinstance(by, str) else by


@cache
def usual_answer(name: str, by: str) -> pd.DataFrame:
    return BY_METRICS[name](NORMAL_FRAME, KEYS[by])


@cache
def usual_whole(name: str) -> pd.DataFrame:
    return WHOLE_METRICS[name](NORMAL_FRAME)


def well_formed(got: pd.DataFrame, usual: pd.DataFrame, by: Any, given: pd.DataFrame) -> None:
    assert [*got.columns] == [*usual.columns]
    keys = as_list(by)
    for name in got.columns:
        wanted = given[name].dtype if name in keys else usual[name].dtype
        assert got[name].dtype == wanted, name
    shares = {"open", "canceled"} if "time" in got else set()  # in a curve these are shares
    for name in {*COUNTS} & {*got.columns} - shares:
        assert got[name].dtype == "int64"
        assert (got[name] >= 0).all()
    assert got.index.tolist() == [*range(len(got))]


@pytest.mark.parametrize(("odd", "name", "by"), in_turn([*ODD], [*BY_METRICS], [*KEYS]))
def test_metrics_by_group(odd, name, by):
    given, metric, keys = ODD[odd], BY_METRICS[name], KEYS[by]
    before = given.copy(deep=True)
    got = metric(given, keys)
    well_formed(got, usual_answer(name, by), keys, given)
    names = as_list(keys)
    groups = got.drop_duplicates(names) if names else got.head(1)
    assert len(groups) == (len(given[names].drop_duplicates()) if names else 1)
    if "assigned" not in name:
        assert groups["n"].sum() == len(given)
    if "used" in got:
        check_used(got, name)
    pd.testing.assert_frame_equal(given, before)
    if names:
        first = groups[names[0]]
        assert first.isna().tolist() == sorted(first.isna()), "null keys are last"
        known = first.dropna().astype("object").tolist()
        assert known == sorted(known)


def check_used(got: pd.DataFrame, name: str) -> None:
    left_out = ["not_started", "invalid", "unknown"]
    if "at_close" not in name:
        left_out += ["skipped"]
    if "curve" not in name and ("censor" not in name or "observed" in name):
        left_out += ["canceled", "left"]
    if "observed" in name:
        left_out += ["open"]
    assert (got["n"] == got["used"] + got[left_out].sum(axis=1)).all()


@pytest.mark.parametrize("name", WHOLE_METRICS)
@each_odd
def test_metrics_of_the_whole(odd, name):
    given, metric = ODD[odd], WHOLE_METRICS[name]
    before = given.copy(deep=True)
    got, usual = metric(given), usual_whole(name)
    assert [*got.columns] == [*usual.columns]
    for column in got.columns.difference(["channel", "latest_channel"]):
        assert got[column].dtype == usual[column].dtype, column
    if name == "stage_times":
        assert got.index.equals(given.index)
    if name == "routing_matrix":
        assert got["n"].sum() == len(given)
        assert got["share"].sum() == pytest.approx(got["channel"].drop_duplicates().size)
    if name == "workload" and len(got):
        assert got[["n", "not_started", "invalid", "unknown"]].iloc[0].sum() == len(given)
    if name in ("quality", "describe"):
        assert len(got) == len(usual)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("odd", "stage", "way"),
    in_turn([*ODD], [*STAGES], [*product(("censor", "exclude"), ("kaplan-meier", "observed"))]),
)
def test_stages(odd, stage, way):
    canceled, method = way
    got = pk.cycle_times(ODD[odd], "channel", stage, canceled=canceled, method=method)
    check_used(got, f"{canceled} {method}")
    assert (got.filter(regex="^p").dtypes == "timedelta64[us]").all()


def test_what_the_edges_say():
    def quantiles(odd, **more):
        return pk.cycle_times(ODD[odd], **more)[["p50", "p50_low", "p50_high", "p90", "p90_high"]].iloc[0]

    for odd in ("empty", "all open", "all canceled", "all reversed", "all null", "nothing given"):
        assert quantiles(odd).isna().all(), odd
    zero = pd.Timedelta(0)
    assert quantiles("zero durations")[["p50", "p90"]].tolist() == [zero, zero]
    one = quantiles("one action")
    assert one[["p50", "p90"]].tolist() == [pd.Timedelta("1min")] * 2
    assert one[["p50_high", "p90_high"]].isna().all(), "one action sets no upper limit, and its own time is none"
    assert quantiles("ties", method="observed")["p50_high"] == pd.Timedelta("1min")
    assert np.isnan(pk.on_time(ODD["all reversed"], "5min")["rate"].item())
    assert pk.ai_dispatch_rate(ODD["AI never known"]).loc[0, ["n", "unknown"]].tolist() == [5, 5]
    assert pk.ai_dispatch_rate(ODD["AI never known"])[["rate", "low", "high"]].isna().all(axis=None)
    assert pk.ai_dispatch_rate(ODD["AI never known"], of="all")["rate"].item() == 0


NEEDED: dict[str, tuple[Any, list[str]]] = {
    "cycle_times": (pk.cycle_times, ["created_time", "closed_time", "status"]),
    "cycle_times pickup": (
        lambda a: pk.cycle_times(a, stage="pickup"),
        ["assigned_time", "doing_time", "closed_time", "status"],
    ),
    "cycle_times replay": (
        lambda a: pk.cycle_times(a, stage="work", as_of="2024-07-01T20:00Z"),
        ["created_time", "doing_time", "closed_time", "status"],
    ),
    "outcome_curve": (pk.outcome_curve, ["created_time", "closed_time", "status"]),
    "on_time": (lambda a: pk.on_time(a, "5min"), ["created_time", "closed_time", "status"]),
    "ai_dispatch_rate": (pk.ai_dispatch_rate, ["ai_dispatched"]),
    "ai_dispatch_rate assigned": (lambda a: pk.ai_dispatch_rate(a, of="assigned"), ["ai_dispatched", "assigned_time"]),
    "reroute_rate": (pk.reroute_rate, ["channel", "latest_channel"]),
    "routing_matrix": (pk.routing_matrix, ["channel", "latest_channel"]),
    "workload": (pk.workload, ["created_time", "closed_time", "status"]),
    "quality": (pk.quality, ["period_id", "action_id", "created_time", "assigned_time", "classification", "status"]),
    "describe": (pk.describe, ["created_time", "doing_time", "status", "ai_dispatched", "latest_channel", "period_id"]),
    "stage_times": (pk.stage_times, ["created_time", "assigned_time", "doing_time", "closed_time", "status"]),
}


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_column_is_named(name):
    metric, needed = NEEDED[name]
    for column in needed:
        with pytest.raises(pk.SchemaError, match=f"'{column}'"):
            metric(NORMAL_FRAME.drop(columns=column))
    if name.split()[0] in ("cycle_times", "outcome_curve", "on_time", "workload") and "replay" not in name:
        with pytest.raises(pk.SchemaError, match="fetched_at"):
            metric(NORMAL_FRAME.drop(columns="fetched_at"))


@pytest.mark.parametrize("name", [name for name in BY_METRICS if " " not in name])
def test_a_missing_key_is_named(name):
    with pytest.raises(pk.SchemaError, match="'zone'"):
        BY_METRICS[name](NORMAL_FRAME, ["channel", "zone"])


def test_frames_have_every_column_of_the_schema():
    assert [*ODD["empty"].columns] == [*ACTIONS.columns]
