"""Axes of durations, on a log scale in human units, and of shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, Locator, MultipleLocator, NullLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from periodkit._arguments import as_micros
from periodkit.plots._drawing.canvas import ABOVE, BESIDE, FAINT, INK, points_of, write
from periodkit.wording import round_duration

__all__ = [
    "as_target",
    "duration_axis",
    "duration_limits",
    "event_limits",
    "seconds",
    "share_axis",
    "target_line",
]

Floats = NDArray[np.float64]

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
# From fine to coarse; the first with few enough ticks in view is taken.
_TICKS = tuple(
    tuple((number * _UNITS[unit], f"{number} {unit}") for unit, numbers in steps.items() for number in numbers)
    for steps in (
        {
            "s": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 40),
            "min": (1, 2, 3, 5, 10, 15, 20, 30, 40),
            "h": (1, 2, 3, 4, 6, 8, 12, 16),
            "d": (1, 2, 3, 5, 7, 14, 30, 60, 100, 200, 365, 1000),
        },
        {
            "s": (0.001, 0.01, 0.1, 1, 2, 5, 10, 30),
            "min": (1, 2, 5, 10, 30),
            "h": (1, 2, 4, 12),
            "d": (1, 2, 4, 7, 14, 30, 100, 365, 1000),
        },
        {"s": (0.001, 0.01, 0.1, 1, 10), "min": (1, 5, 20), "h": (1, 4), "d": (1, 7, 30, 100, 365, 1000)},
        {"s": (0.001, 0.1, 1, 10), "min": (1, 10), "h": (1,), "d": (1, 10, 100, 1000)},
    )
)

# Steps of a share axis.
_SHARES = (0.1, 0.2, 0.25, 0.5, 1.0)
_NAMES = {at: text for ticks in _TICKS for at, text in ticks}


def seconds(values: pd.Series) -> Floats:
    """Return timedeltas as seconds; NaT becomes NaN."""
    found: Floats = values.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def as_target(target: object) -> float | None:
    """Return a target in seconds, or raise an ArgumentError."""
    return None if target is None else as_micros(target, "target", above_zero=True) / 1e6


def duration_limits(values: ArrayLike, margin: float = 1.25) -> tuple[float, float]:
    """Return limits of a log axis around the durations above zero, at least a factor of ten apart."""
    given = np.asarray(values, dtype=np.float64)
    given = given[np.isfinite(given) & (given > 0)]
    if not given.size:
        return 1.0, 3600.0
    low, high = float(given.min()) / margin, float(given.max()) * margin
    stretch = max(np.sqrt(10 / (high / low)), 1.0)
    return low / stretch, high * stretch


def event_limits(time: Floats, events: ArrayLike, extra: ArrayLike = ()) -> tuple[float, float]:
    """Return limits of a log axis around nearly all events, given their durations and numbers, and around `extra`.

    Actions left open for months would squeeze the events into a corner.
    """
    number = np.asarray(events, dtype=np.float64)
    # Zero durations cannot be shown on a log axis.
    some = (time > 0) & (number > 0)
    if not some.any():
        return duration_limits(np.r_[time, extra])
    order = np.argsort(time[some], kind="stable")
    reached = np.cumsum(number[some][order]) / number[some].sum()
    last = int(some.sum()) - 1
    low, high = (time[some][order][min(int(np.searchsorted(reached, share)), last)] for share in (0.002, 0.995))
    return duration_limits(np.r_[low, high, extra])


def target_line(ax: Axes, side: str, target: float, *, high: bool = True) -> None:
    """Mark a target on a duration axis whose limits are set, with its label at the upper or the lower end of the line."""
    upright = side == "x"
    (ax.axvline if upright else ax.axhline)(target, color=INK, linewidth=1.3, linestyle=(0, (2, 2)), zorder=1.5)
    turned = False
    if upright:
        low, top = np.log(ax.get_xlim())
        # The label goes to the side with more room.
        turned = bool((np.log(target) - low) / (top - low) > 0.7)
    place = (target, 1.0 if high else 0.0) if upright else (0.0, target)
    write(
        ax,
        f"target {round_duration(target)}",
        place,
        (-4 if turned else 4, (-4 if high else 4) if upright else 3),
        ABOVE if upright else BESIDE,
        boxed=True,
        ha="right" if turned else "left",
        va="top" if upright and high else "bottom",
        zorder=5,
    )


def duration_axis(
    ax: Axes,
    side: str,
    limits: tuple[float, float],
    label: str,
    under: Callable[[Sequence[float]], Sequence[str]] | None = None,
) -> None:
    """Make an axis a log axis of durations in seconds, with ticks in seconds, minutes, hours and days.

    There are as many ticks as there is room for; `under` gives each a second line.
    """
    low, high = limits
    if side == "x":
        ax.set_xscale("log", nonpositive="clip")
        ax.set_xlim(low, high)
        ax.set_xlabel(label)
    else:
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(low, high)
        ax.set_ylabel(label)
    axis = ax.xaxis if side == "x" else ax.yaxis
    locator = _Durations(ax, side, 0.833 * float(mpl.rcParams["font.size"]), under)
    axis.set_major_locator(locator)
    axis.set_major_formatter(_DurationNames(under))
    axis.set_minor_locator(NullLocator())
    axis.grid(visible=True, color=FAINT, linewidth=0.8)


class _Durations(Locator):
    """Round durations, as many as there is room for."""

    def __init__(
        self, ax: Axes, side: str, size: float, under: Callable[[Sequence[float]], Sequence[str]] | None
    ) -> None:
        self._ax, self._side, self._size, self._under = ax, side, size, under

    def __call__(self) -> Sequence[float]:
        low, high = sorted(self._ax.get_xlim() if self._side == "x" else self._ax.get_ylim())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        wide, high = points_of(self._ax)
        room = (wide if self._side == "x" else high) / np.log(vmax / vmin)
        view: list[float] = []
        for ticks in _TICKS:
            view = [at for at, _ in ticks if vmin <= at <= vmax]
            if (np.diff(np.log(view)) * room >= self._needed(view)).all():
                break
        return view

    def _needed(self, view: list[float]) -> Floats:
        if self._side == "y":
            return np.full(max(len(view) - 1, 0), 2.2 * self._size)
        second = self._under(view) if self._under is not None else [""] * len(view)
        lengths = [max(len(_NAMES[at]), len(text)) for at, text in zip(view, second, strict=True)]
        widths = 0.62 * self._size * np.array(lengths, dtype=np.float64) + 1.4 * self._size
        return (widths[1:] + widths[:-1]) / 2


class _DurationNames(Formatter):
    def __init__(self, under: Callable[[Sequence[float]], Sequence[str]] | None) -> None:
        self._under = under

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        return _NAMES.get(float(x), round_duration(x))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        names = [self(value) for value in values]
        return names if self._under is None else [f"{a}\n{b}" for a, b in zip(names, self._under(values), strict=True)]


def share_axis(ax: Axes, side: str, label: str, limits: tuple[float, float] = (0.0, 1.0)) -> None:
    """Make an axis an axis of shares in percent."""
    axis = ax.xaxis if side == "x" else ax.yaxis
    (ax.set_xlim if side == "x" else ax.set_ylim)(*limits)
    room = points_of(ax)[0 if side == "x" else 1] / (limits[1] - limits[0])
    least = 48 if side == "x" else 26
    axis.set_major_locator(MultipleLocator(next((step for step in _SHARES if step * room > least), _SHARES[-1])))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axis.set_label_text(label)
    axis.grid(visible=True, color=FAINT, linewidth=0.8)
