"""The client against the sandbox and against servers that misbehave."""

import contextlib
import pickle
import re
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
import requests
from servers import scripted

import periodkit as pk
from periodkit.client import Clock
from periodkit.parse import ActionsParser
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox
from periodkit.schema import ACTIONS, PERIODS

TOKEN = "s3cret-t0ken-of-mine"
DATE = {"Date": "Tue, 02 Jul 2024 06:30:00 GMT"}


def connect(url, **options):
    """A client that asks once; what it does when it asks again is in test_faults.py."""
    return pk.Client(url, TOKEN, **{"progress": False, "retry": None} | options)


def answering(status=200, headers=None, body=b"{}"):
    return scripted(lambda path, sent: (status, DATE | (headers or {}), body))


def test_a_season_arrives_whole(client, season, season_frames):
    periods, actions = season_frames
    assert periods["period_id"].tolist() == [record["id"] for record in season.dataset.periods]
    sent = {i: len({r["actionId"] for r in records}) for i, records in season.dataset.actions.items()}
    assert actions.groupby("period_id", sort=False).size().to_dict() == sent
    assert actions["period_id"].drop_duplicates().tolist() == periods["period_id"].tolist()
    duplicates = sum(map(len, season.dataset.actions.values())) - sum(sent.values())
    assert actions.attrs["duplicates"] == duplicates > 0
    assert (actions["fetched_at"] == pd.Timestamp(season.dataset.as_of).floor("s")).all()
    assert {"form.department", "form.priority", "form.location"} <= set(actions.columns)


def test_one_period_by_any_kind_of_id(client, season_frames):
    period_id = int(season_frames[0]["period_id"].iloc[1])
    whole = client.actions(period_id)
    assert len(whole) > 100
    for spelled in (str(period_id), [period_id], float(period_id), pd.Series([period_id] * 2), {period_id: "cause"}):
        pd.testing.assert_frame_equal(client.actions(spelled), whole)


def test_no_periods_is_an_empty_frame(client):
    nothing = client.periods(start="1990-01-01", end="1990-02-01")
    assert list(nothing.columns) == PERIODS.columns
    assert nothing.empty
    actions = client.actions(nothing)
    assert actions.empty
    assert list(actions.columns) == ACTIONS.columns


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("2024-07-01", "2024-07-01T00:00:00.000Z"),
        (date(2024, 7, 1), "2024-07-01T00:00:00.000Z"),
        ("2024-07-01T19:00:00.1239Z", "2024-07-01T19:00:00.123Z"),
        ("2024-07-01T19:00+02:00", "2024-07-01T17:00:00.000Z"),
        (datetime(2024, 7, 1, 19, tzinfo=timezone(timedelta(hours=-5))), "2024-07-02T00:00:00.000Z"),
        (pd.Timestamp("2024-10-27T02:30", tz="Europe/London"), "2024-10-27T02:30:00.000Z"),
    ],
)
def test_moments_are_sent_as_the_api_wants_them(value, sent):
    with answering(body={"periods": []}) as (url, seen), connect(url) as client:
        client.periods(start=value)
    assert parse_qs(urlsplit(seen[0][0]).query) == {"start_date": [sent]}


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (datetime(2024, 7, 1, 19), None, "start is 2024-07-01 19:00:00, which has no time zone"),
        (None, "2024-07-01T19:00:00", "end is 2024-07-01T19:00:00, which has no time zone"),
        (pd.Timestamp("2024-07-01"), None, "has no time zone"),
        ("last week", None, "start is 'last week', which is not an ISO 8601"),
        (20240701, None, "start is 20240701, which is not a date"),
        (pd.NaT, None, "which is not a date"),
        ("2024-08-01", "2024-07-01", r"start \(2024-08-01\) is after end \(2024-07-01\)"),
    ],
)
def test_moments_that_cannot_be_meant_are_refused(client, start, end, said):
    with pytest.raises(pk.InvalidRequestError, match=said) as caught:
        client.periods(start, end)
    assert caught.value.status_code is None


def test_form_fields_are_one_encoded_array():
    with answering(body={"actions": []}) as (url, seen), connect(url) as client:
        client.actions(7, form_fields=["department", "budget"])
        client.actions(7, form_fields=["Größe & mehr"])
    assert seen[0][0] == "/periods/7/actions?form_fields=%5B%22department%22%2C%22budget%22%5D"
    assert parse_qs(urlsplit(seen[1][0]).query) == {"form_fields": ['["Größe & mehr"]']}


@pytest.mark.parametrize("fields", ["department", [1], [None], ["\ud800"]])
def test_form_fields_must_be_a_list_of_texts(client, fields):
    with pytest.raises(pk.InvalidRequestError, match="list"):
        client.actions(1, form_fields=fields)


@pytest.mark.parametrize("value", [1.5, None, True, [None], float("nan"), float("inf"), b"x"])
def test_ids_that_are_not_whole_numbers_are_refused(client, value):
    with pytest.raises(pk.InvalidRequestError, match="whole number"):
        client.actions(value)


@pytest.mark.parametrize("value", ["abc", "1.5", ["nowhere"]])
def test_a_text_that_is_no_number_is_a_name(client, value):
    with pytest.raises(pk.ArgumentError, match=r"There is no period '(abc|1\.5|nowhere)'"):
        client.actions(value)


@pytest.mark.parametrize("value", [999999, 10**30])
def test_an_unknown_period_is_not_found(client, value):
    with pytest.raises(pk.PeriodNotFoundError, match=r"Period not found \(HTTP 404\)\. client\.periods\(\) lists"):
        client.actions(value)


@pytest.mark.parametrize("value", [-1, 0])
def test_what_the_server_calls_invalid_is_invalid(client, value):
    with pytest.raises(pk.ApiError, match=f"/periods/{value}/actions: (Invalid period_id|Period not found)"):
        client.actions(value)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retryable", "retry_after"),
    [
        (400, {}, pk.InvalidRequestError, False, None),
        (401, {}, pk.AuthError, False, None),
        (403, {}, pk.AuthError, False, None),
        (404, {}, pk.PeriodNotFoundError, False, None),
        (418, {}, pk.ApiError, False, None),
        (429, {"Retry-After": "17"}, pk.RateLimitError, True, 17.0),
        (429, {"Retry-After": "Tue, 02 Jul 2024 06:31:30 GMT"}, pk.RateLimitError, True, 90.0),
        (429, {"Retry-After": "soon"}, pk.RateLimitError, True, None),
        (500, {}, pk.ServerError, True, None),
        (503, {"Retry-After": "3"}, pk.ServerError, True, 3.0),
    ],
)
def test_each_status_has_its_error(status, headers, kind, retryable, retry_after):
    with answering(status, headers, {"message": f"no {TOKEN}"}) as (url, _), connect(url) as client:
        with pytest.raises(kind) as caught:
            client.periods()
    error = caught.value
    assert type(error) is kind
    assert (error.status_code, error.retryable, error.retry_after) == (status, retryable, retry_after)
    assert str(error).startswith(f"/periods: no *** (HTTP {status}). ")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.retry_after) == (kind, str(error), retry_after)


def test_a_redirect_is_told_and_not_followed():
    with answering(302, {"Location": "https://elsewhere.example/login"}) as (url, seen), connect(url) as client:
        with pytest.raises(pk.ApiError, match=r"redirects to https://elsewhere\.example\. If"):
            client.periods()
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((200, {}, b"<!DOCTYPE html><p>Sign in"), pk.SchemaError, "begins '<!DOCTYPE html><p>Sign in'"),
        ((200, {}, b""), pk.TransportError, "the answer is empty"),
        ((404, {}, b"<html>"), pk.PeriodNotFoundError, "Check the base URL"),
        (
            (200, {"Content-Length": "500", "Connection": "close"}, b'{"periods": []}'),
            pk.TransportError,
            "No whole answer",
        ),
    ],
)
def test_what_is_no_answer_is_said(answer, kind, said):
    with (
        scripted(lambda path, sent: answer) as (url, _),
        connect(url, timeout=1) as client,
        pytest.raises(kind, match=said),
    ):
        client.periods()


def test_an_unreachable_host_is_said():
    with answering() as (url, _):
        pass
    with (
        connect(url) as client,
        pytest.raises(pk.TransportError, match=r"Connection refused.*Check the base URL") as caught,
    ):
        client.periods()
    assert caught.value.__cause__ is None
    assert "0x" not in str(caught.value)


def test_without_a_date_the_local_clock_serves():
    class Noon(Clock):
        def utc(self):
            return datetime(2024, 7, 2, 12, tzinfo=UTC)

    answer = (200, {}, {"periods": [{"id": 1}]})
    with scripted(lambda path, sent: answer) as (url, _), connect(url, clock=Noon()) as client:
        assert client.periods()["fetched_at"].tolist() == [pd.Timestamp("2024-07-02T12:00Z")]


def test_pages_are_followed_and_duplicates_at_their_edges_kept_once(season):
    whole = season.dataset
    with Sandbox(whole, page_size=100) as paged, pk.Client(paged.base_url, paged.token, progress=False) as client:
        assert client.periods()["period_id"].tolist() == [record["id"] for record in whole.periods]
        period_id = whole.periods[0]["id"]
        ids = list(dict.fromkeys(record["actionId"] for record in whole.actions[period_id]))
        assert client.actions(period_id)["action_id"].tolist() == ids


def page(path, **more):
    number = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
    return 200, DATE, {"actions": [{"actionId": number}], "page": number, "total_pages": 3} | more


def test_a_server_that_repeats_its_first_page_is_not_believed():
    with scripted(lambda path, sent: page(path, page=1)) as (url, _), connect(url) as client:
        with pytest.raises(pk.TransportError, match="asked for page 2 of 3, got page 1 again"):
            client.actions(7)
    first = page("/x")
    first[2].pop("page")
    with scripted(lambda path, sent: first) as (url, _), connect(url) as client:
        with pytest.raises(pk.TransportError, match="asked for page 2 of 3"):
            client.actions(7)


def test_fewer_records_than_the_server_counts_are_not_whole():
    with scripted(lambda path, sent: page(path, total_count=4)) as (url, _), connect(url) as client:
        with pytest.raises(pk.TransportError, match="3 of 4 actions arrived"):
            client.actions(7)
    with scripted(lambda path, sent: page(path, total_count=3)) as (url, seen), connect(url) as client:
        assert client.actions(7)["action_id"].tolist() == [1, 2, 3]
    assert len(seen) == 3


def some_fail(path, sent):
    period_id = int(path.split("/")[2])
    if period_id == 3:
        return 500, DATE, {"message": "Internal"}
    if period_id == 4:
        return 200, DATE, {"actions": [{"actionId": "x"}]}
    return 200, DATE, {"actions": [{"actionId": period_id * 10}]}


def test_what_arrived_is_kept_when_some_periods_fail():
    with scripted(some_fail) as (url, _), connect(url, workers=2) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions([5, 3, 1, 4, 2])
        error = caught.value
        assert error.done["action_id"].tolist() == [50, 10, 20]
        assert {i: type(cause) for i, cause in error.failed.items()} == {3: pk.ServerError, 4: pk.SchemaError}
        assert "2 period(s) could not be fetched; 3 action(s)" in str(error)
        with pytest.raises(pk.PartialResultError) as again:
            client.actions(error.failed)
        assert list(again.value.failed) == [3, 4]
    copy = pickle.loads(pickle.dumps(error))
    pd.testing.assert_frame_equal(copy.done, error.done)


def test_a_refused_token_stops_the_rest():
    refused = (401, DATE, {"message": "Unauthorized"})
    with scripted(lambda path, sent: refused) as (url, seen), connect(url, workers=2) as client:
        with pytest.raises(pk.AuthError):
            client.actions(range(200))
    assert len(seen) < 100


def test_a_token_refused_midway_keeps_what_came_before():
    def answer(path, sent):
        return (200, DATE, {"actions": [{"actionId": 1}]}) if path == "/periods/0/actions" else (401, DATE, {})

    with scripted(answer) as (url, _), connect(url, workers=1) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(50))
    assert caught.value.done["period_id"].tolist() == [0]
    assert list(caught.value.failed) == list(range(1, 50))
    assert {type(cause) for cause in caught.value.failed.values()} == {pk.AuthError}


def test_a_forbidden_period_does_not_keep_the_others_from_coming():
    def answer(path, sent):
        return (403, DATE, {}) if path == "/periods/3/actions" else (200, DATE, {"actions": [{"actionId": 1}]})

    with scripted(answer) as (url, seen), connect(url, workers=2) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(20))
        came = dict(client.iter_actions(range(20)))
    assert len(seen) == 40
    assert caught.value.done["period_id"].tolist() == [i for i in range(20) if i != 3]
    assert {i: type(cause) for i, cause in caught.value.failed.items()} == {3: pk.AuthError}
    assert [i for i, each in came.items() if isinstance(each, pk.PeriodkitError)] == [3]


def test_settings_come_from_arguments_then_the_environment(monkeypatch):
    with pytest.raises(pk.ConfigError, match=r"No base_url: .*ALO_BASE_URL.*demo_client"):
        pk.Client(token=TOKEN)
    with pytest.raises(pk.ConfigError, match=r"No token: .*ALO_API_TOKEN.*demo_client"):
        pk.Client("https://api.example.com")
    monkeypatch.setenv("ALO_BASE_URL", "https://env.example.com/v1/")
    monkeypatch.setenv("ALO_API_TOKEN", TOKEN)
    with pk.Client() as client:
        assert client.base_url == "https://env.example.com/v1"
    with pk.Client("https://api.example.com") as client:
        assert client.base_url == "https://api.example.com"
    with pk.connect() as client:
        assert repr(client) == "Client('https://env.example.com/v1')"


def test_connect_without_settings_is_the_sandbox():
    with pk.connect() as client:
        assert client.base_url.startswith("http://127.0.0.1:")
        assert len(client.periods()) >= 24


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://u:p@api.example.com",
        "https://a.example?x=1",
        "https://[",
    ],
)
def test_base_urls_that_cannot_be_right_are_refused(url):
    with pytest.raises(pk.ConfigError, match="should look like https://") as caught:
        pk.Client(url, TOKEN)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://api.example.com/v1/periods", "ends in /periods, which periodkit adds itself. Leave it off."),
        ("https://api.example.com/periods/", "ends in /periods/, which"),
        ("https://api.example.com/v1/periods/4101/actions", "ends in /periods/4101/actions, which"),
        ("http://127.0.0.1:8770/openapi.json", "ends in /openapi.json, which"),
        ('"https://api.example.com/v1"', "stands in quotation marks; it should look like"),
        ("api.example.com/v1", "does not begin with https://; it should look like"),
        ("https://u:p@api.example.com", "holds a user name or a password"),
        ("https://api.example.com/v1?page=1", "holds a query or a fragment"),
        ("https://api.example.com:99999/v1", "cannot be read; it should look like"),
    ],
)
def test_what_is_wrong_with_a_base_url_is_told(url, said):
    with pytest.raises(pk.ConfigError, match=re.escape(said)):
        pk.Client(url, TOKEN)


@pytest.mark.parametrize(
    "url", ["https://api.example.com/periods/v1", "https://periods.example.com", "https://a.b/my-periods"]
)
def test_a_base_url_may_have_periods_elsewhere(url):
    with pk.Client(url, TOKEN) as client:
        assert client.base_url == url


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünïcode"])
def test_tokens_that_cannot_be_right_are_refused_without_being_shown(token):
    with pytest.raises(pk.ConfigError, match="token") as caught:
        pk.Client("https://api.example.com", token)
    assert token not in str(caught.value)


def test_a_session_of_ones_own_is_used_and_left_open():
    with requests.Session() as session, answering(body={"periods": []}) as (url, seen):
        session.headers["X-Mine"] = "yes"
        with connect(url, session=session) as client:
            client.periods()
        assert session.get(url, timeout=5).status_code == 200
    assert seen[0][1]["X-Mine"] == "yes"


def test_the_recorded_set_arrives_whole(recorded_frames, recorded_path):
    periods, actions = recorded_frames
    assert (len(periods), len(actions)) == (15, 5239)
    assert len(pk.markers(periods)) == sum(len(p["markers"]) for p in DataSet.load(recorded_path).periods)
    assert actions["sub_classification"].isna().sum() == 397
    assert actions["assigned_user_names"].str.len().max() == 16
    assert (actions["fetched_at"] == pd.Timestamp("2020-04-21T03:00Z")).all()


def test_periods_one_at_a_time_are_the_frames_of_the_whole(client, season_frames):
    ids = season_frames[0]["period_id"].tolist()
    came = dict(client.iter_actions(season_frames[0], form_fields=["department"]))
    assert sorted(came) == sorted(ids)
    whole = client.actions(ids, form_fields=["department"])
    pd.testing.assert_frame_equal(pd.concat([came[i] for i in ids], ignore_index=True), whole)
    assert list(client.iter_actions([])) == []


def test_one_at_a_time_an_error_stands_in_for_its_frame():
    with scripted(some_fail) as (url, _), connect(url, workers=2) as client:
        came = dict(client.iter_actions([5, 3, 1, 4, 2]))
    kinds = {5: pd.DataFrame, 3: pk.ServerError, 1: pd.DataFrame, 4: pk.SchemaError, 2: pd.DataFrame}
    assert {i: type(each) for i, each in came.items()} == kinds


def test_one_at_a_time_a_refused_token_is_not_tried_again():
    refused = (401, DATE, {"message": "Unauthorized"})
    with scripted(lambda path, sent: refused) as (url, seen), connect(url, workers=2) as client:
        came = list(client.iter_actions(range(200)))
    assert sorted(i for i, _ in came) == list(range(200))
    assert {type(error) for _, error in came} == {pk.AuthError}
    assert len(seen) <= 2


def test_an_interrupt_while_all_is_parsed_loses_nothing(monkeypatch):
    plain, calls = ActionsParser.frame, []

    def interrupted_once(parser, answers):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return plain(parser, answers)

    monkeypatch.setattr(ActionsParser, "frame", interrupted_once)
    with answering(body={"actions": [{"actionId": 1}]}) as (url, _), connect(url) as client:
        with pytest.raises(pk.FetchInterrupted) as stop:
            client.actions([1, 2, 3])
    assert stop.value.done["period_id"].tolist() == [1, 2, 3]
    assert stop.value.failed == {}


def test_what_arrived_is_there_when_the_iteration_is_given_up():
    with scripted(some_fail) as (url, _), connect(url, workers=5) as client:
        arrivals = client.iter_actions([5, 3, 1, 4, 2])
        first = dict([next(arrivals)])
        until = time.monotonic() + 30
        while len(arrivals._kept) < 4:
            assert time.monotonic() < until
            time.sleep(0.01)
        rest = dict(arrivals.arrived())
        assert list(arrivals.arrived()) == list(arrivals) == []
    kinds = {5: pd.DataFrame, 3: pk.ServerError, 1: pd.DataFrame, 4: pk.SchemaError, 2: pd.DataFrame}
    assert {i: type(each) for i, each in (first | rest).items()} == kinds


def test_a_closed_iterator_asks_for_no_more():
    with answering(body={"actions": []}) as (url, seen), connect(url, workers=2) as client:
        with contextlib.closing(client.iter_actions(range(200))) as arrivals:
            next(arrivals)
        workers = [thread for thread in threading.enumerate() if re.match(r"periodkit-\d", thread.name)]
        for thread in workers:
            thread.join(60)
        assert not any(thread.is_alive() for thread in workers)
        assert len(seen) <= 8


FOUND = {"periods": [{"id": 7, "name": "Cup final"}, {"id": 8, "name": "Cup semi-final"}, {"id": 9, "name": "Derby"}]}


def test_a_period_is_found_by_its_name_at_the_cost_of_one_request():
    def answer(path, sent):
        return 200, DATE, FOUND if path.split("?")[0].endswith("/periods") else {"actions": []}

    with scripted(answer) as (url, seen), connect(url) as client:
        client.actions(["Cup final", "derby", 8])
        asked = [urlsplit(path).path for path, *_ in seen]
        assert asked[0] == "/periods"
        assert sorted(asked[1:]) == [f"/periods/{number}/actions" for number in (7, 8, 9)]
        with pytest.raises(pk.ArgumentError, match=r"'Cup' could be 2 periods: 7 \(Cup final\), 8 \(Cup semi-final\)"):
            client.actions("Cup")
        with pytest.raises(pk.ArgumentError, match="There is no period 'Final whistle'"):
            client.iter_actions("Final whistle")
        before = len(seen)
        client.actions("7")
        assert [urlsplit(path).path for path, *_ in seen[before:]] == ["/periods/7/actions"]


def test_a_row_of_the_periods_is_a_period(client, season_frames, tmp_path):
    row = season_frames[0].iloc[1]
    whole = client.actions(row["period_id"])
    pd.testing.assert_frame_equal(client.actions(row), whole)
    pd.testing.assert_frame_equal(client.actions([row, row]), whole)
    with pytest.raises(pk.InvalidRequestError, match="not a whole number"):
        client.actions(row.drop("period_id"))
