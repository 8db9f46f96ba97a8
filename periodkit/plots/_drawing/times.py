"""The times of groups of actions, for plots that compare them: counted and estimated once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, check_share
from periodkit.frames import ActionsFrame
from periodkit.metrics import checked_ways, quantile_table
from periodkit.metrics.estimate import SurvivalCurve, kaplan_meier, survival_quantile
from periodkit.metrics.tally import By, LifeTable, count_stage, unused_states
from periodkit.milestones import checked_stage
from periodkit.plots._drawing.canvas import nothing_of
from periodkit.plots._drawing.groups import GROUP, Groups, group_by, widened
from periodkit.plots._drawing.replay import NEEDED
from periodkit.plots._drawing.stages import at_once, left_out, noun
from periodkit.wording import clean_label, duration, estimate

__all__ = ["GroupTimes", "group_times"]

_QUANTILES = {0.5: "p50", 0.9: "p90"}
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class GroupTimes:
    """P50 and P90 of a stage by group.

    Parameters
    ----------
    groups : Groups
        The actions by group.
    stage : str
        The stage.
    table : pandas.DataFrame
        One row per group, by its code: the counts and quantiles of `periodkit.cycle_times`.
    tables : list of LifeTable
        The life table of each group.
    unit : int
        Microseconds in one unit of the life tables.
    confidence : float
        Coverage of the intervals.
    unused : tuple of str
        The states that are left out.
    """

    groups: Groups
    stage: str
    table: pd.DataFrame
    tables: list[LifeTable]
    unit: int
    confidence: float
    unused: tuple[str, ...]

    @property
    def total(self) -> pd.Series:
        """The counts of all groups together."""
        return self.table.drop(columns=GROUP).select_dtypes("number").sum()

    @property
    def out(self) -> str:
        """What was left out, in words."""
        return left_out(self.total, self.unused)

    @property
    def nothing(self) -> str:
        """Why there is nothing to draw; empty if there is something."""
        total = self.total
        if not total["used"]:
            return nothing_of(int(total["n"]), f"has a {noun(self.stage)}")
        instant = not any(table.time[table.event > 0].any() for table in self.tables)
        return at_once(int(total["events"]), self.stage) if total["events"] and instant else ""

    def curve(self, group: int, confidence: float | None = None) -> SurvivalCurve:
        """Return the Kaplan-Meier curve of a group."""
        return kaplan_meier(self.tables[group], confidence or self.confidence)

    def least(self, share: float) -> pd.Series:
        """Return the lower limit of a quantile of each group; where it lies beyond what was seen, the longest time seen.

        Until then the band of those not yet ended stays above what the quantile leaves. Where none has ended the band is
        the exact one of no event among those still watched.
        """
        left, alpha = 1 - share, (1 - self.confidence) / 2
        found = self.table[_QUANTILES[share] + "_low"].copy()
        unknown = found.isna() & self.table[_QUANTILES[share]].isna() & (self.table["used"] > 0)
        for at in found.index[unknown]:
            curve = self.curve(int(at))
            low = np.where(curve.survival == 1, alpha ** (1 / np.maximum(curve.at_risk, 1)), curve.low)
            above = np.flatnonzero(low > left + _TOLERANCE)
            if above.size and (low[: above[-1] + 1] > left + _TOLERANCE).all():
                found[at] = pd.Timedelta(int(curve.time[above[-1]]) * self.unit, unit="us")
        return found

    def apart(self, least: pd.Series, most: pd.Series, share: float) -> bool:
        """Whether a quantile of two groups differs beyond chance: their intervals, made wider for many groups, are apart."""
        wide = widened(self.confidence, len(self.table))
        (_, _, high), (_, low, _) = (
            survival_quantile(self.curve(int(row[GROUP]), wide), share) for row in (least, most)
        )
        return bool(high < low)

    def subtitle(self, *parts: str) -> list[str]:
        """Return what every subtitle says, with some parts in its middle."""
        total, folded = self.total, self.groups.folded
        return [
            f"n = {total['used']:,}, of which {total['open']:,} open",
            *parts,
            f"the {folded} smallest groups in one" if folded else "",
            self.groups.note,
            self.out,
        ]

    def words(self, rows: pd.DataFrame) -> str:
        """Return P50, P90 and n of groups as text."""
        return "; ".join(
            f"{clean_label(self.groups.names[int(row[GROUP])])}: n {row['used']:,}, "
            f"P50 {estimate(row['p50'], row['p50_low'], row['p50_high'])}, "
            f"P90 {estimate(row['p90'], row['p90_low'], row['p90_high'])}"
            for _, row in rows.iterrows()
        )

    def ends(self, name: str, limit: int = 30) -> tuple[list[str], list[str], bool] | None:
        """Return names and times of the fastest and the slowest group, and whether they are apart.

        There is one name and time if one group can be compared, and nothing if none can.
        """
        ends = self.groups.ends(self.table, name)
        if ends is None:
            return None
        rows = ends if ends[0][GROUP] != ends[1][GROUP] else ends[:1]
        share = next(share for share, column in _QUANTILES.items() if column == name)
        apart = len(rows) == 2 and self.apart(*ends, share)
        return [self.groups.name(row, limit) for row in rows], [duration(row[name]) for row in rows], apart


def group_times(
    actions: ActionsFrame,
    by: By,
    stage: str,
    canceled: str,
    skipped: str,
    confidence: float,
    as_of: AsOf | None,
    max_groups: int,
) -> GroupTimes:
    """Count a stage by group, once, and estimate its P50 and P90, as `periodkit.cycle_times` does."""
    checked_stage(stage)
    checked_ways(canceled, skipped)
    check_share(confidence, "confidence")
    groups = group_by(actions, NEEDED, by, max_groups)
    counts = count_stage(groups.actions, stage, GROUP, as_of)
    groups.known(counts.groups)
    table = quantile_table(counts, _QUANTILES, canceled, skipped, confidence)
    tables = [*counts.life_tables(canceled, skipped)]
    return GroupTimes(groups, stage, table, tables, counts.unit, confidence, tuple(unused_states(canceled, skipped)))
