"""AI dispatch and re-routing: R's Wilson figures through the public function, then small cases by hand."""

import pandas as pd
import pytest
from metrics import oracle
from metrics.strategies import action, frame

import periodkit as pk


def same_as_r(row, want):
    assert (row["ai"], row["ai"] + row["not_ai"]) == (want["x"], want["n"])
    assert row[["rate", "low", "high"]].tolist() == pytest.approx([want["p"], *want["wilson"]], rel=0, abs=1e-9)


class TestAgreesWithR:
    def test_overall(self, recorded_frames):
        row = pk.ai_dispatch_rate(recorded_frames[1]).iloc[0]
        same_as_r(row, oracle.expected()["ai_rate"]["by_class_all"]["overall"])
        assert (row["ai"], row["n"], row["unknown"]) == (3598, 5239, 0)
        assert (round(row["low"], 4), round(row["high"], 4)) == (0.6741, 0.6992)

    @pytest.mark.parametrize("block", ["by_class_all", "by_class_excl_cancelled"])
    def test_by_classification(self, recorded_frames, block):
        actions = recorded_frames[1]
        if block == "by_class_excl_cancelled":
            actions = actions[actions["status"] != "canceled"]
        want = oracle.expected()["ai_rate"][block]
        got = pk.ai_dispatch_rate(actions, by="classification").set_index("classification")
        same_as_r(pk.ai_dispatch_rate(actions).iloc[0], want["overall"])
        assert len(want["groups"]) > 10
        for name, group in want["groups"].items():
            same_as_r(got.loc[name], group)

    def test_by_period(self, recorded_frames):
        got = pk.ai_dispatch_rate(recorded_frames[1], by="period_name")
        want = oracle.expected()["ai_rate"]["by_period_all"]["groups"]
        assert len(got) == len(want) == 15
        for name, group in want.items():
            date = name.removeprefix("sffd-")
            same_as_r(got[got["period_name"].str.contains(date)].iloc[0], group)


@pytest.mark.parametrize("block", ["all", "by_classification", "by_ai"])
def test_reroutes_agree_with_r(recorded_frames, block):
    want = oracle.expected("more")["reroute"][block]
    by = {"all": None, "by_classification": "classification", "by_ai": "ai_dispatched"}[block]
    got = pk.reroute_rate(recorded_frames[1], by)
    for name, group in ({None: want} if by is None else want).items():
        row = (got if by is None else got[got[by] == (name == "ai" if block == "by_ai" else name)]).iloc[0]
        assert row[[*group]].tolist() == pytest.approx([*group.values()], rel=0, abs=1e-9)


ROWS = [
    action(ai_dispatched=True, assigned=1),
    action(ai_dispatched=True),
    action(ai_dispatched=False, assigned=1),
    action(ai_dispatched=None, assigned=1),
    action(ai_dispatched=None),
]


@pytest.mark.parametrize(
    ("of", "counts", "rate"),
    [("known", [5, 2, 1, 2], 2 / 3), ("assigned", [3, 1, 1, 1], 1 / 2), ("all", [5, 2, 1, 2], 2 / 5)],
)
def test_rate_of(of, counts, rate):
    got = pk.ai_dispatch_rate(frame(ROWS), of=of).iloc[0]
    assert got[["n", "ai", "not_ai", "unknown"]].tolist() == counts
    assert got["rate"] == pytest.approx(rate)
    assert got["low"] < rate < got["high"]


def test_null_is_not_false():
    got = pk.ai_dispatch_rate(frame([action(ai_dispatched=None)])).iloc[0]
    assert got[["n", "ai", "not_ai", "unknown"]].tolist() == [1, 0, 0, 1]
    assert got[["rate", "low", "high"]].isna().all()


def test_by_ai_dispatched_itself():
    got = pk.ai_dispatch_rate(frame(ROWS), by="ai_dispatched")
    assert got["ai_dispatched"].tolist() == [False, True, pd.NA]
    assert got[["ai", "not_ai", "unknown"]].to_numpy().tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 2]]


def test_keys_stand_first_whatever_they_are_called():
    given = frame(ROWS).assign(stayed="x")
    assert [*pk.ai_dispatch_rate(given, by=["stayed", "channel"]).columns][:3] == ["stayed", "channel", "n"]


@pytest.mark.parametrize("wrong", ["yes", 1, 0.0])
def test_a_flag_that_is_none_is_refused(wrong):
    with pytest.raises(pk.SchemaError, match="ai_dispatched"):
        pk.ai_dispatch_rate(frame(ROWS).assign(ai_dispatched=wrong))


ROUTES = [
    action(channel=first, latest_channel=last)
    for first, last in [("Bar", "Bar"), ("Bar", "Gate"), ("Bar", None), ("Gate", "Bar"), (None, "Bar"), (None, None)]
]


def test_reroute_rate():
    got = pk.reroute_rate(frame(ROUTES))
    assert got[["n", "rerouted", "stayed", "unknown"]].iloc[0].tolist() == [6, 2, 1, 3]
    assert got["rate"].item() == pytest.approx(2 / 3)
    assert "lower bound" in got.attrs["note"]
    by = pk.reroute_rate(frame(ROUTES), by="channel")
    assert by["channel"].fillna("null").tolist() == ["Bar", "Gate", "null"]
    assert by[["n", "rerouted", "stayed", "unknown"]].to_numpy().tolist() == [[3, 1, 1, 1], [1, 1, 0, 0], [2, 0, 0, 2]]


def test_routing_matrix():
    got = pk.routing_matrix(frame([*ROUTES, ROUTES[0]]))
    rows = [["null" if pd.isna(value) else value for value in row] for row in got.to_numpy().tolist()]
    assert rows == [
        ["Bar", "Bar", 2, 0.5],
        ["Bar", "Gate", 1, 0.25],
        ["Bar", "null", 1, 0.25],
        ["Gate", "Bar", 1, 1.0],
        ["null", "Bar", 1, 0.5],
        ["null", "null", 1, 0.5],
    ]
    assert "lower bound" in got.attrs["note"]
