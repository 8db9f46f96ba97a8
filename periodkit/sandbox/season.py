"""A synthetic season of events whose truth is known.

`simulation.py` says how its actions come about, `venue.py` holds the venue, `records.py` makes the records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from periodkit.sandbox.dataset import SYNTHETIC, DataSet
from periodkit.sandbox.records import period_record, records
from periodkit.sandbox.simulation import MINUTE, NEVER, STRATA, Drawn, Ints, Parameters, draw_event
from periodkit.sandbox.venue import CALENDAR

__all__ = ["Parameters", "Season", "Truth", "make_season"]


@dataclass(frozen=True)
class Truth:
    """What would have happened, had one looked long enough and recorded without fault.

    Parameters
    ----------
    seed : int
        Seed that the season was drawn with.
    parameters : Parameters
        What it was drawn from. ``parameters.ai_factor`` is the true ratio of response times within a stratum, and
        `response_if` what it makes of any other figure.
    anomalies : pandas.DataFrame
        What was truly unusual, one row each: ``period_id``, ``period_name``, ``kind`` (see `periodkit.sandbox.venue`),
        ``channel`` (null: all), ``start`` and ``end`` (since the period's start), ``size``.
    nights : pandas.DataFrame
        One row per period: ``period_id`` and ``time_factor``, by which all its stage times were longer by chance.
    actions : pandas.DataFrame
        One row per distinct action of the data set, indexed by ``action_id``: ``period_id``, ``stratum``
        ("classification / sub-classification", also where the record lost the latter), ``created_offset`` (since the
        period's start), ``dispatch``, ``pickup``, ``work`` and their sum ``cycle`` as if never canceled,
        ``cancel`` (since creation, NaN: never; the action is canceled where this is below ``cycle``), all in seconds;
        ``ai`` (decided at creation; also where the record lost it), ``load`` (arrivals in the ten minutes before,
        relative to the event's mean), ``forgotten``.

    Notes
    -----
    The season's population is this table with equal weights: a discrete distribution that is known exactly, so that a
    simulation can draw from it (`draw`) and compare with its quantiles (`cycle_quantile`) without any error of its own.
    """

    seed: int
    parameters: Parameters
    actions: pd.DataFrame = field(repr=False)
    anomalies: pd.DataFrame = field(repr=False)
    nights: pd.DataFrame = field(repr=False)

    @property
    def ai_share(self) -> float:
        """Share of AI-dispatched actions in the population."""
        return float(self.actions["ai"].mean())

    def cycle_quantile(self, q: float) -> float:
        """Return the population's quantile of the cycle in seconds: the smallest t with F(t) >= q."""
        ordered = np.sort(self.actions["cycle"].to_numpy())
        # 1e-9 of an action: q * n is meant to be exact where it is a whole number.
        return float(ordered[max(0, int(np.ceil(q * len(ordered) - 1e-9)) - 1)])

    def response_if(self, ai: bool) -> pd.Series:
        """Return how long each action would have waited until someone was on it, had AI dispatched all of them, or none.

        The true effect of AI dispatch on any figure is the figure of ``response_if(True)`` against that of
        ``response_if(False)``: the same actions, which differ in nothing else.

        Parameters
        ----------
        ai : bool
            Whether AI dispatched them.

        Returns
        -------
        pandas.Series
            Seconds, by ``action_id``. Cancellations come about regardless: see ``cancel``.
        """
        factor = self.parameters.ai_factor
        had = np.where(self.actions["ai"], factor, 1.0)
        response = self.actions["dispatch"] + self.actions["pickup"]
        return response * ((factor if ai else 1.0) / had)

    def draw(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draw whole lifetimes independently from the season's population.

        Parameters
        ----------
        n : int
            How many.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        pandas.DataFrame
            One row per draw: ``created_offset``, ``cycle``, ``cancel`` (seconds) and ``ai``, as in `actions`.
        """
        rows = rng.integers(len(self.actions), size=n)
        return self.actions[["created_offset", "cycle", "cancel", "ai"]].iloc[rows].reset_index(drop=True)


@dataclass(frozen=True)
class Season:
    """The data as the API would answer them, and the truth behind them."""

    dataset: DataSet
    truth: Truth


def make_season(seed: int = 2024, parameters: Parameters | None = None) -> Season:
    """Draw a season.

    Parameters
    ----------
    seed : int
        Same seed, same season, to the byte.
    parameters : Parameters, optional
        What to draw from.

    Returns
    -------
    Season
        26 events at one venue; ``as_of`` lies within the last.

    Examples
    --------
    >>> season = make_season()
    >>> len(season.dataset.periods), season.dataset.periods[0]["name"]
    (26, 'Harbour Park Open Day')
    >>> round(season.truth.parameters.ai_factor, 2)
    0.85
    """
    chosen = Parameters() if parameters is None else parameters
    drawn = [draw_event(chosen, seed, number, event) for number, event in enumerate(CALENDAR)]
    as_of = _choose_as_of(chosen, drawn[-1])
    periods, actions, form_values, truths = [], {}, {}, []
    first_id = 700_001
    for one in drawn:
        seen = one.created <= as_of
        ids = first_id + np.arange(len(one.created))
        first_id += len(ids)
        periods.append(period_record(one, as_of))
        recorded, forms = records(chosen, one, as_of, ids)
        actions[one.period_id] = recorded
        form_values[one.period_id] = forms
        truths.append(_truth(one, ids)[seen])
    moment = datetime.fromtimestamp(as_of // 1000, UTC)
    dataset = DataSet(moment, f"periodkit {SYNTHETIC}, seed {seed}", periods, actions, form_values)
    nights = pd.DataFrame({"period_id": [one.period_id for one in drawn], "time_factor": [one.night for one in drawn]})
    return Season(dataset, Truth(seed, chosen, pd.concat(truths), _anomalies(chosen, drawn), nights))


def _anomalies(p: Parameters, drawn: list[Drawn]) -> pd.DataFrame:
    ids = {one.event.name: one.period_id for one in drawn}
    frame = pd.DataFrame(
        {
            "period_id": pd.array([ids[one.event] for one in p.anomalies], dtype="int64"),
            "period_name": pd.array([one.event for one in p.anomalies], dtype="str"),
            "kind": pd.array([one.kind for one in p.anomalies], dtype="str"),
            "channel": pd.array([one.channel for one in p.anomalies], dtype="str"),
            "size": np.array([one.size for one in p.anomalies], dtype=float),
        }
    )
    for place, name in ((4, "start"), (5, "end")):
        minutes = np.array([getattr(one, name) for one in p.anomalies], dtype="int64")
        frame.insert(place, name, pd.Series(minutes.astype("timedelta64[m]").astype("timedelta64[us]")))
    return frame


def _choose_as_of(p: Parameters, last: Drawn) -> int:
    """Return the minute within the last event, its second half at best, at which its open share is as wanted."""
    moments = last.start + MINUTE * np.arange(last.kind.minutes // 2, last.kind.minutes)
    created = np.searchsorted(last.created, moments, side="right")
    gone = np.searchsorted(np.sort(last.end), moments, side="right")
    return int(moments[np.argmin(np.abs((created - gone) / np.maximum(created, 1) - p.open_share_last))])


def _truth(one: Drawn, ids: Ints) -> pd.DataFrame:
    names = np.array([f"{kind.name} / {sub.name}" for kind, sub in STRATA], dtype=object)
    seconds = {
        "created_offset": one.created - one.start,
        "dispatch": one.dispatch,
        "pickup": one.pickup,
        "work": one.work,
        "cycle": one.done - one.created,
    }
    return pd.DataFrame(
        {
            "period_id": np.full(len(ids), one.period_id),
            "stratum": names[one.stratum],
            **{name: value / 1000.0 for name, value in seconds.items()},
            "cancel": np.where(one.cancel == NEVER, np.nan, one.cancel / 1000.0),
            "ai": one.ai,
            "load": one.load,
            "forgotten": one.forgotten,
        },
        index=pd.Index(ids, name="action_id"),
    )
