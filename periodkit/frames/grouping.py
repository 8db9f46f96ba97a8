"""What to group by: columns, a Series, a function of the frame, or a column of lists, for every metric and plot alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, cast

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit._arguments import By, named
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import EARLIEST, UTC_MICROS
from periodkit.frames.engines import collect, column_names, in_pandas, in_utc, keys_in_place, open_frame
from periodkit.frames.lists import one_row_an_item
from periodkit.frames.order import Ints, natural_order
from periodkit.frames.venues import VENUE, require_one_venue

__all__ = ["PERIOD_KEYS", "Keyed", "grouped", "keyed", "number_rows", "numbered", "period_starts"]

PERIOD_KEYS = ("period_name", "period_id")
"""Key columns that name periods, which are in the order of their start."""
P = ParamSpec("P")
_MANY = (list, tuple, np.ndarray, pd.Index, pd.api.extensions.ExtensionArray)


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """A frame that has every key as a column.

    Parameters
    ----------
    frame : any engine's frame
        The actions, an action once for each item where a key is a list.
    by : str, sequence of str or None
        The key columns.
    lists : tuple of str
        Those of them that were lists.
    """

    frame: Any
    by: Any
    lists: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The key columns."""
        return () if self.by is None else (self.by,) if isinstance(self.by, str) else tuple(self.by)

    @property
    def sentence(self) -> str:
        """The note as a sentence."""
        return f"A{self.note[1:]}." if self.note else ""

    @property
    def note(self) -> str:
        """Say what each action counts for, if a key is a list; else empty."""
        return f"an action counts once for each of its {' and '.join(self.lists)}" if self.lists else ""


def keyed(actions: Any, by: By, argument: str = "by", *, explode: bool = True) -> Keyed:  # noqa: ANN401  (any engine's frame)
    """Return a frame with a column for each thing to group by, and the names of these columns.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions; not changed.
    by : str, Series, callable, or a list of these
        A column; a Series, taken by its index; or a function of the frame that returns a Series or as many values as
        there are actions. Series and functions are for pandas frames.
    argument : str
        What the caller calls `by`.
    explode : bool
        Whether an action gets a row for each item of a key that is a list; else lists stay, and counting refuses them.

    Raises
    ------
    ArgumentError
        A Series has no name or no value for some action; or the frame is none of pandas.

    Examples
    --------
    >>> actions = pd.DataFrame({"assigned_user_names": [["Ada", "Bo"], []]}, index=[7, 9])
    >>> found = keyed(actions, ["assigned_user_names", pd.Series(["late", "early"], [9, 7], name="shift")])
    >>> found.names, found.frame["assigned_user_names"].tolist(), found.frame["shift"].tolist()
    (('assigned_user_names', 'shift'), ['Ada', 'Bo', nan], ['early', 'early', 'late'])
    """
    found = _keyed(actions, by, argument, explode=explode)
    names = found.names if isinstance(found.by, str | list | tuple) else ()
    if "period_id" in names and VENUE not in names:
        require_one_venue(found.frame, by=True)
    return found


def _keyed(actions: Any, by: By, argument: str, *, explode: bool) -> Keyed:  # noqa: ANN401
    several = isinstance(by, Iterator | Collection) and not isinstance(by, str | pd.Series | pd.DataFrame)
    by = list(by) if several else by  # type: ignore[arg-type]
    single = isinstance(by, str | pd.Series) or callable(by)
    if by is None or (not single and not isinstance(by, Sequence)):
        return Keyed(actions, by)
    items = [by] if single else list(cast("Sequence[Any]", by))
    if all(isinstance(item, str) for item in items):
        return _exploded(actions, by, explode=explode)
    wrong = [item for item in items if not isinstance(item, str | pd.Series) and not callable(item)]
    if wrong:
        msg = f"{argument} is or holds {named(wrong[0])}; it takes a column name, a Series, a function or a list of these."
        raise ArgumentError(msg)
    if not isinstance(actions, pd.DataFrame):
        what = next(item for item in items if not isinstance(item, str))
        kind = "a Series" if isinstance(what, pd.Series) else "a function"
        msg = (
            f"{argument} is or holds {kind}, and the actions are {named(actions)}. Only pandas frames take that: "
            "add it as a column, and pass the column's name."
        )
        raise ArgumentError(msg)
    added = dict(_column(item, actions, argument) for item in items if not isinstance(item, str))
    names = [item if isinstance(item, str) else _name(item, actions, argument) for item in items]
    frame = actions.assign(**added)
    return _exploded(frame, tuple(names), explode=explode)


def _exploded(actions: Any, by: Any, *, explode: bool) -> Keyed:  # noqa: ANN401
    if not explode:
        return Keyed(actions, by)
    frame, lists = one_row_an_item(actions, [by] if isinstance(by, str) else by)
    return Keyed(frame, by, lists)


def grouped(metric: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
    """Let a metric of ``actions`` and ``by`` take all that `keyed` does, and return periods in the order of their start."""
    signature = inspect.signature(metric)

    @functools.wraps(metric)
    def called(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            return metric(*args, **kwargs)  # Python's own message names the function
        given.apply_defaults()
        found = keyed(given.arguments["actions"], given.arguments["by"])
        given.arguments.update(actions=found.frame, by=found.by)
        result = metric(*given.args, **given.kwargs)
        # What the caller sorted stays as it is.
        began = {} if given.arguments.get("sort") is not None else period_starts(found.frame, found.names)
        if began and len(result):
            order = natural_order(result[list(found.names)], began)
            attrs = result.attrs
            result = result.iloc[order].reset_index(drop=True)
            result.attrs = attrs
        if found.lists:
            result.attrs["note"] = " ".join(filter(None, [found.sentence, result.attrs.get("note")]))
        return result

    return called


def period_starts(actions: Any, names: Sequence[str]) -> Mapping[str, Mapping[Any, int]]:  # noqa: ANN401
    """Return for each column of periods when each of them began: with its first action. Empty where no times are known.

    Times before the year 2000, which systems write for "none", begin nothing. Moments are microseconds since 1970.
    """
    timed = [name for name in names if name in PERIOD_KEYS]
    if not timed:
        return {}
    try:
        frame = open_frame(actions, [*timed, "created_time"], timed)
    except SchemaError:
        return {}  # what the metric did not need may be broken
    dtype = frame.collect_schema().get("created_time")
    if not isinstance(dtype, nw.Datetime) or dtype.time_zone is None:
        return {}
    frame = in_utc(frame, ["created_time"]).filter(nw.col("created_time") >= nw.lit(EARLIEST))
    began = {}
    for name in timed:
        first = frame.group_by(name).agg(_began=nw.col("created_time").min())
        table = collect(first)
        moments = table["_began"].cast(UTC_MICROS, safe=False).cast("int64")
        began[name] = dict(zip(table[name].to_pylist(), moments.to_pylist(), strict=True))
    return began


def numbered(actions: Any, names: Sequence[str]) -> tuple[pd.DataFrame, Ints, Callable[[str, Ints], Any]]:  # noqa: ANN401
    """Return the distinct keys of a frame, how many actions have each, and what adds a column of a number for each key.

    Parameters
    ----------
    actions : frame that `where_counted` returned
        Actions; not changed. Of an engine's frame only the keys are read.
    names : sequence of str
        The key columns; null is a key of its own. Without any, all actions have the one key.

    Examples
    --------
    >>> keys, sizes, add = numbered(pd.DataFrame({"channel": ["Gate", None, "Gate"]}), ["channel"])
    >>> keys["channel"].tolist(), sizes.tolist(), add("code", np.array([7, 8]))["code"].tolist()
    (['Gate', nan], [2, 1], [7, 8, 7])
    """
    if not isinstance(actions, pd.DataFrame):
        found = keys_in_place(actions, names)
        if found is not None:
            return found
        actions = in_pandas(actions, column_names(actions))
    keys = actions[list(names)]
    code, first = number_rows(keys)
    return keys.iloc[first], np.bincount(code), lambda name, numbers: actions.assign(**{name: numbers[code]})


def number_rows(keys: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the number of each row's key, in the order in which keys first occur, and the rows in which they do.

    Examples
    --------
    >>> code, first = number_rows(pd.DataFrame({"channel": ["Gate", None, "Gate"]}))
    >>> code.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    if not len(keys.columns):
        return np.zeros(len(keys), dtype=np.int64), np.arange(min(len(keys), 1))
    grouped = keys.groupby(list(keys.columns), dropna=False, sort=False, observed=True)
    code = np.asarray(grouped.ngroup(), dtype=np.int64)
    return code, np.unique(code, return_index=True)[1]


def _column(item: Any, actions: pd.DataFrame, argument: str) -> tuple[str, pd.Series]:  # noqa: ANN401
    name = _name(item, actions, argument)
    values = item if isinstance(item, pd.Series) else item(actions)
    kind = "Series" if isinstance(item, pd.Series) else "function"
    what = f"{argument} is or holds the {kind} {name!r}"
    if not isinstance(values, pd.Series):
        if not isinstance(values, _MANY) or len(values) != len(actions):
            msg = f"{what}, which returns {named(values)}. It takes one value for each of the {len(actions):,} actions."
            raise ArgumentError(msg)
        values = pd.Series(values, index=actions.index)
    elif not values.index.equals(actions.index):
        if not values.index.is_unique:
            msg = f"{what}, which has several values for one action, by index. Give each action one value."
            raise ArgumentError(msg)
        absent = int((~actions.index.isin(values.index)).sum())
        if absent:
            msg = (
                f"{what}, which by index has no value for {absent:,} of {len(actions):,} actions. If these are to be a "
                "group of their own, pass series.reindex(actions.index)."
            )
            raise ArgumentError(msg)
        values = values.reindex(actions.index)
    if name in actions.columns and not values.equals(actions[name]):
        msg = f'{what}, but the frame has a column of that name with other values. Rename it: series.rename("...").'
        raise ArgumentError(msg)
    return name, values


def _name(item: Any, actions: pd.DataFrame, argument: str) -> str:  # noqa: ANN401
    """Return the name of a Series or a function; a lambda has that of what it returns."""
    if not isinstance(item, pd.Series):
        name = getattr(item, "__name__", "<lambda>")
        if name != "<lambda>":
            return str(name)
        item = item(actions)
    name = getattr(item, "name", None)
    if isinstance(name, str) and name:
        return name
    msg = f'{argument} is or holds a Series without a name, or a function that returns one. Name it: series.rename("hour").'
    raise ArgumentError(msg)
