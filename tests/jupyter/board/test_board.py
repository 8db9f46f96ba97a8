"""The live board without a browser: a client that counts and fails, a clock that the test sets, messages of the page."""

import asyncio
import threading

import ipywidgets
import pandas as pd
import pytest

import periodkit as pk
from periodkit import answers
from periodkit.errors import ArgumentError, PartialResultError, RateLimitError, TransportError
from periodkit.jupyter.board.pace import Pace


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Account:
    """A client that counts what it is asked, and fails when it is told to."""

    def __init__(self, periods, actions):
        self.frames, self.asked, self.error = (periods, actions), [], None

    def periods(self):
        self.asked.append("periods")
        return self.frames[0]

    def actions(self, periods):
        self.asked.append(periods)
        if self.error is not None:
            raise self.error
        ids = [periods] if isinstance(periods, int) else periods
        return self.frames[1][self.frames[1]["period_id"].isin(ids)]


@pytest.fixture
def account(season_frames):
    return Account(*season_frames)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(account, clock):
    made = pk.live(account, target="20min", clock=clock)
    account.asked.clear()
    yield made
    made.close()


def say(board, kind):
    board._view.ticker._handle_custom_msg({"kind": kind}, [])


def state(board):
    return board._view.ticker.state


def words(board):
    view = board._view
    return " ".join(part.value for part in (view._wrong, view._said, view._head, view._table))


def test_it_shows_what_the_metrics_say(board, account, season_frames):
    periods, actions = season_frames
    last = actions[actions["period_id"] == pk.latest_period(periods)["period_id"].item()]
    pd.testing.assert_frame_equal(board.actions, last)
    assert board.history["period_id"].nunique() == 8
    pd.testing.assert_frame_equal(board.waiting, pk.open_actions(last, "20min", board.history))
    pd.testing.assert_frame_equal(board.outlook, pk.outlook(last, board.history, "1h"))
    assert f"{len(board.waiting)} actions are open" in words(board)
    assert answers.outlook(board.outlook, "in 1 h") in words(board)


def test_one_request_each_time_and_only_when_it_is_due(board, account, clock):
    say(board, "tick")
    assert account.asked == []
    clock.now += 60
    for _ in range(5):  # several views of it, or a kernel that was busy
        say(board, "tick")
    assert account.asked == [int(board.period["period_id"])]
    say(board, "hello")
    assert state(board)["due"] == 60
    assert len(account.asked) == 1


def test_paused_it_asks_nothing_but_what_the_user_asks(board, account, clock):
    say(board, "pause")
    clock.now += 600
    say(board, "tick")
    assert account.asked == []
    assert (state(board)["paused"], state(board)["age"]) == (True, 600)
    say(board, "refresh")
    assert (len(account.asked), state(board)["age"]) == (1, 0)
    say(board, "resume")
    clock.now += 60
    say(board, "tick")
    assert len(account.asked) == 2


def test_it_backs_off_says_why_and_how_old_it_is_and_recovers(board, account, clock):
    account.error = TransportError("The server <b>did not</b> answer.")
    before, waits = board.actions, []
    for _ in range(6):
        clock.now = board._pace.due
        say(board, "tick")
        waits.append(state(board)["due"])
    assert waits == [60, 120, 240, 480, 900, 900]
    assert "The server &lt;b&gt;did not&lt;/b&gt; answer." in words(board)
    assert state(board)["age"] == clock.now - 1000
    assert board.actions is before
    account.error = None
    clock.now = board._pace.due
    say(board, "tick")
    assert (state(board)["due"], state(board)["age"]) == (60, 0)
    assert "failed" not in words(board)


def test_the_server_may_ask_for_a_longer_pause():
    pace = Pace(60.0)
    pace.failed(0.0, RateLimitError(429, "slow down", True, 3000.0))
    assert pace.due == 3000
    slow = Pace(3600.0)
    slow.failed(0.0, TransportError("no"))
    slow.failed(0.0, TransportError("no"))
    assert slow.due == 3600


def test_an_empty_event_is_shown_and_may_fill(account, clock, season_frames):
    periods, actions = season_frames
    account.frames = (periods, actions.head(0))
    made = pk.live(account, clock=clock)
    assert "Nothing is open." in words(made)
    account.frames = season_frames
    made.refresh()
    assert "Nothing is open." not in words(made)
    assert made._repr_mimebundle_()[0]["text/plain"].startswith("Ages of open actions")
    made.close()


def test_before_there_is_a_period_it_is_looked_for(account, clock, season_frames):
    periods, actions = season_frames
    account.frames = (periods.head(0), actions)
    made = pk.live(account, clock=clock)
    assert "There is no period yet" in words(made)
    assert made._repr_mimebundle_()[0]["image/png"]
    account.frames = season_frames
    made.refresh()
    assert made.period["period_id"] == pk.latest_period(periods)["period_id"].item()
    assert (len(made.waiting) > 3, made.history["period_id"].nunique()) == (True, 8)
    made.close()


def test_a_part_of_the_history_is_a_history_too(account, clock, season_frames):
    part = season_frames[1].head(500)
    plain = account.actions

    def actions(periods):
        if isinstance(periods, list):
            raise PartialResultError(part, {1: TransportError("no")})
        return plain(periods)

    account.actions = actions
    made = pk.live(account, clock=clock)
    assert made.history is part
    made.close()


@pytest.mark.parametrize("period", ["Harbour Park v Old Quay", None])
def test_a_period_by_name(account, clock, period, season_frames):
    if period is None:
        period = int(season_frames[0]["period_id"].iloc[3])
    elif (season_frames[0]["period_name"] == period).sum() > 1:
        with pytest.raises(ArgumentError, match="names 2 periods"):
            pk.live(account, period=period, clock=clock)
        return
    made = pk.live(account, period=period, history=season_frames[1].head(0), clock=clock)
    assert period in (made.period["period_id"], made.period["period_name"])
    assert made.outlook is None
    made.close()


def test_what_it_cannot_take_is_said(account):
    with pytest.raises(ArgumentError, match="every is '10ms'; it takes at least a second"):
        pk.live(account, every="10ms")
    with pytest.raises(ArgumentError, match="horizon is"):
        pk.live(account, horizon="later")
    with pytest.raises(ArgumentError, match="none of the periods"):
        pk.live(account, period=7)


def test_the_loop_goes_on_while_it_fetches_and_nothing_is_left_after(account, clock):
    alive = ipywidgets.widgets.widget._instances
    before = set(alive)
    hold, entered = threading.Event(), threading.Event()

    async def use():
        made = pk.live(account, clock=clock)
        plain = account.actions

        def slow(periods):
            entered.set()
            assert hold.wait(60)
            return plain(periods)

        account.actions = slow
        say(made, "refresh")
        while not entered.is_set():
            await asyncio.sleep(0.01)  # a loop that were held could not come here
        assert state(made)["busy"]
        assert [thread.daemon for thread in threading.enumerate() if thread.name == "periodkit-board"] == [True]
        say(made, "refresh")  # asked for again meanwhile: no second request
        hold.set()
        while state(made)["busy"]:
            await asyncio.sleep(0.01)
        assert account.asked[-1] == int(made.period["period_id"])
        made.close()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(use()) == set()
    for thread in threading.enumerate():
        if thread.name == "periodkit-board":
            thread.join(60)
    assert "periodkit-board" not in {thread.name for thread in threading.enumerate()}
    assert set(alive) == before


def test_what_comes_after_it_was_closed_is_not_shown(account, clock):
    made = pk.live(account, clock=clock)
    found = made._try()
    made.close()
    before = made.actions
    made._answered(found)
    assert made.actions is before
    made._heard("tick")
