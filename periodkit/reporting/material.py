"""The data of a report: the periods that it is about, and the earlier ones that it compares them with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast

import pandas as pd

from periodkit._arguments import PeriodIds, When, check_count, read_range, zone
from periodkit.errors import ArgumentError
from periodkit.frames import Fingerprint, fingerprint, latest_period
from periodkit.metrics import unusual
from periodkit.reporting.part import Part
from periodkit.sources import connect
from periodkit.wording import Span, Target

__all__ = ["ReportData", "Source", "collect", "opened"]

COMPARED = 24
"""The number of earlier periods to compare with by default."""


class Source(Protocol):
    """Where frames come from: a client, an archive, or an archive's snapshot."""

    def periods(self) -> pd.DataFrame:
        """Return a periods frame."""

    def actions(self, periods: PeriodIds) -> pd.DataFrame:
        """Return the actions of some periods."""


@dataclass(frozen=True, eq=False)
class ReportData:
    """The data and the settings of one report.

    Parameters
    ----------
    periods, actions : pandas.DataFrame
        The periods of the report, in order of time, and their actions.
    earlier_periods, earlier : pandas.DataFrame
        The periods to compare with, and their actions. May have no rows.
    target : Target
        The promised time from created to closed.
    tz : tzinfo
        The zone to show times in.
    tz_name : str
        The name of that zone.
    season : bool
        Whether this is about many periods, one row each.
    names : bool
        Whether people may be named.
    phone : bool
        Whether to draw plots as a report does, legible on a phone too.
    part : Part, optional
        The part of the actions that this is about; None for all of them. No other actions are in the frames.
    of : int, optional
        How many actions the periods of the report have, with those outside of the part.
    origin : str, optional
        Whose data they are, as the client or the archive says; None where nothing says it.
    """

    periods: pd.DataFrame = field(repr=False)
    actions: pd.DataFrame = field(repr=False)
    earlier_periods: pd.DataFrame = field(repr=False)
    earlier: pd.DataFrame = field(repr=False)
    target: Target
    tz: tzinfo
    tz_name: str
    season: bool = False
    names: bool = False
    phone: bool = False
    part: Part | None = None
    of: int | None = None
    origin: str | None = None

    @property
    def as_of(self) -> pd.Timestamp:
        """The last moment at which anything was known."""
        seen = pd.concat([self.actions["fetched_at"], self.periods["fetched_at"]])
        return cast("pd.Timestamp", seen.max())

    @cached_property
    def tonight(self) -> pd.DataFrame | None:
        """What `periodkit.unusual` says of the period, of all actions and by group; None unless it is a single one."""
        if self.season or len(self.periods) != 1 or not len(self.earlier_periods):
            return None
        return unusual(
            self.all_actions,
            self.all_periods,
            int(self.periods["period_id"].item()),
            earlier=len(self.earlier_periods),
            by=(
                None,
                *(name for name in ("classification", "channel") if self.part is None or name not in self.part.single),
            ),
            target=self.target.delta,
        )

    @cached_property
    def all_actions(self) -> pd.DataFrame:
        """The actions of the report and those that it compares with."""
        return pd.concat([self.earlier, self.actions], ignore_index=True)

    @cached_property
    def all_periods(self) -> pd.DataFrame:
        """The periods of the report and those that it compares with, in order of time."""
        return pd.concat([self.earlier_periods, self.periods], ignore_index=True)

    @property
    def fingerprint(self) -> Fingerprint:
        """The hash of the periods of the report and their actions."""
        return fingerprint(self.periods, self.actions)

    @property
    def earlier_fingerprint(self) -> Fingerprint:
        """The hash of the periods compared with and their actions."""
        return fingerprint(self.earlier_periods, self.earlier)


@contextmanager
def opened(
    source: Source | None = None, *, archive: str | Path | None = None, snapshot: str | None = None
) -> Iterator[Source]:
    """Hand over a source that is open already, or what `periodkit.connect` opens, and close that afterwards.

    Parameters
    ----------
    source : Client, Archive or a snapshot of one, optional
        It is left open.
    archive, snapshot
        As for `periodkit.connect`.

    Examples
    --------
    >>> with opened() as source:
    ...     periods = source.periods()
    >>> periods.empty
    False
    """
    if source is not None:
        yield source
        return
    with connect(archive=archive, snapshot=snapshot, progress=False) as made:
        yield made


def collect(
    source: Source,
    period_ids: int | Iterable[int] | None = None,
    *,
    season: bool = False,
    start: When | None = None,
    end: When | None = None,
    compare: int = COMPARED,
    target: Span | Target = "20min",
    tz: str | None = None,
    names: bool = False,
    where: Mapping[str, object] | None = None,
    phone: bool = False,
) -> ReportData:
    """Fetch the data of a report.

    Parameters
    ----------
    source : Client, Archive or a snapshot of one
        Where to fetch from.
    period_ids : int or iterable of int, optional
        The periods to report on; by default the latest that has ended, or all of them in a season.
    season, start, end, compare, target, tz, names, where
        As in `periodkit.report`.
    phone : bool
        Whether to draw plots as a report does, legible on a phone too.

    Returns
    -------
    ReportData
        Its frames are sorted by time.

    Raises
    ------
    ArgumentError
        An argument has a value that it does not take, or there is no such period.
    SchemaError
        There is no column that `where` names.
    PeriodkitError
        The source could not be read.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     material = collect(client, compare=3)
    >>> material.periods["period_name"].tolist(), len(material.earlier_periods)
    (['Harbour Park v Riverside Wanderers'], 3)
    """
    promised = Target.read(target)
    check_count(compare, "compare")
    part = Part.read(where, names=names)
    at, zone_name = zone(tz)
    known = source.periods().sort_values(["start_date", "period_id"], kind="stable", ignore_index=True)
    allowed = _between(known, start, end)
    chosen = _chosen(allowed, period_ids, season=season)
    before = known[(known["start_date"] < chosen["start_date"].min()) & ~known["period_id"].isin(chosen["period_id"])]
    before = before.tail(0 if season else compare)
    actions, earlier = (_actions(source, some, part) for some in (chosen, before))
    of = len(actions)
    if part is not None:
        # A kind of work may be missing tonight; it may not be unknown.
        part.check(pd.concat([actions, earlier]))
        actions, earlier = part.of(actions), part.of(earlier)
    return ReportData(
        periods=chosen.reset_index(drop=True),
        actions=actions,
        earlier_periods=before.reset_index(drop=True),
        earlier=earlier,
        target=promised,
        tz=at,
        tz_name=zone_name,
        season=season,
        names=names,
        phone=phone,
        part=part,
        of=of,
        origin=getattr(source, "origin", None),
    )


def _actions(source: Source, periods: pd.DataFrame, part: Part | None) -> pd.DataFrame:
    if part is not None and part.form_fields:
        from periodkit.client import Client  # noqa: PLC0415  (requests, which an archive does not need)

        # The API sends a form field only if it is asked for; an archive has those that its syncs asked for.
        if isinstance(source, Client):
            return source.actions(periods, form_fields=part.form_fields)
    return source.actions(periods)


def _between(periods: pd.DataFrame, start: When | None, end: When | None) -> pd.DataFrame:
    bounds = read_range(start, end, ArgumentError)
    kept = periods
    if "start" in bounds:
        kept = kept[kept["start_date"] >= bounds["start"]]
    if "end" in bounds:
        kept = kept[kept["start_date"] < bounds["end"]]
    return kept


def _chosen(periods: pd.DataFrame, period_ids: int | Iterable[int] | None, *, season: bool) -> pd.DataFrame:
    if periods.empty:
        msg = "There is no period to report on. Check the account, or the dates if you gave any."
        raise ArgumentError(msg)
    if period_ids is not None:
        wanted = [period_ids] if isinstance(period_ids, int) else list(period_ids)
        missing = [key for key in wanted if key not in set(periods["period_id"].dropna())]
        if missing or not wanted:
            last = periods.iloc[-1]
            what = f"no period {missing[0]!r}" if missing else "no period asked for"
            msg = f"There is {what}. There are {len(periods)}, the last of them {last['period_id']}."
            raise ArgumentError(msg)
        return periods[periods["period_id"].isin(wanted)]
    if season:
        return periods
    ended = periods[periods["end_date"] <= periods["fetched_at"]]
    # Where all periods are running or to come, the first one that could be under way.
    return ended.sort_values("end_date", kind="stable").tail(1) if len(ended) else latest_period(periods)
