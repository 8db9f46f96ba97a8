"""The lines of code that make the frames behind what the explorer shows."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from periodkit.jupyter.explorer.choice import Choice, filters

__all__ = ["Names", "code_for", "find_names", "literal"]

_FRAMES, _TABLES = ("frame", "chosen", "chosen_actions"), ("table", "numbers", "result")


@dataclass(frozen=True, slots=True)
class Names:
    """What the notebook calls the package and the frames; None where it has no name for them."""

    package: str | None = None
    actions: str | None = None
    periods: str | None = None


def find_names(
    namespace: Mapping[str, Any], package: ModuleType, actions: object, periods: object, explorer: object
) -> Names:
    """Return the notebook's names for the package, the frames, or else for the explorer that holds them.

    Examples
    --------
    >>> import periodkit
    >>> held = object()
    >>> find_names({"mine": held, "_1": held}, periodkit, held, None, None)
    Names(package=None, actions='mine', periods=None)
    """
    # The namespace may grow while it is looked at: other threads share it.
    known = [(name, value) for name, value in tuple(namespace.items()) if _is_usable(name)]

    def name_of(wanted: object, usual: str) -> str | None:
        names = [name for name, value in known if wanted is not None and value is wanted]
        return usual if usual in names else names[0] if names else None

    own = name_of(explorer, "explorer")
    found = {}
    for part, frame in (("actions", actions), ("periods", periods)):
        name = name_of(frame, part)
        found[part] = f"{own}.{part}" if name is None and own is not None and frame is not None else name
    return Names(name_of(package, "pk"), **found)


def code_for(choice: Choice, names: Names, *, picture: str, options: Mapping[str, str | None]) -> str:
    """Return code that makes ``frame``, the actions chosen, ``table``, the numbers, and the static picture.

    Parameters
    ----------
    choice : Choice
        What is chosen.
    names : Names
        What the notebook calls what the code needs.
    picture : str
        The function of `periodkit.plots` that draws the picture.
    options : mapping
        More arguments of the picture; None is left out.

    Examples
    --------
    >>> print(code_for(Choice(channel=("Bar",), by="classification"), Names("pk"), picture="cycle_scatter", options={}))
    frame = actions[actions["channel"].isin(["Bar"])]
    table = pk.cycle_times(frame, by="classification")
    pk.plots.cycle_scatter(frame)
    """
    source = names.actions or "actions"
    used = {source.partition(".")[0], names.package, names.periods}
    frame, table = (next(name for name in usual if name not in used) for usual in (_FRAMES, _TABLES))
    package = names.package or "pk"
    when = {} if choice.as_of is None else {"as_of": choice.as_of}
    stage = {} if choice.stage == "cycle" else {"stage": choice.stage}
    by = {} if choice.by is None else {"by": choice.by}
    given = {name: value for name, value in options.items() if value is not None}
    scatter = picture == "cycle_scatter"
    periods = [names.periods] if scatter and names.periods else []
    lines = [] if names.package else ["import periodkit as pk"]
    lines += [
        f"{frame} = {_chosen(choice, source)}",
        f"{table} = {package}.cycle_times({_arguments([frame], by | stage | when)})",
        f"{package}.plots.{picture}({_arguments([frame, *periods], (stage if scatter else {}) | given | when)})",
    ]
    return "\n".join(lines)


def literal(value: object) -> str:
    r"""Return a value as Python on one line: control characters, quotes and half surrogates are escaped.

    Examples
    --------
    >>> print(literal("Bar"), literal('a "b"\n'), literal(None), literal(7))
    "Bar" 'a "b"\n' None 7
    """
    if not isinstance(value, str):
        item = getattr(value, "item", None)
        return repr(item() if callable(item) else value)
    text = repr(value)
    return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text


def _chosen(choice: Choice, source: str) -> str:
    parts = []
    for column, values in filters(choice):
        known = [value for value in values if value is not None]
        one = f"{source}[{literal(column)}]"
        tests = [f"{one}.isin([{', '.join(map(literal, known))}])"] if known else []
        tests += [f"{one}.isna()"] if len(known) < len(values) else []
        parts.append(" | ".join(tests) if len(tests) == 1 else f"({' | '.join(tests)})")
    return f"{source}[{' & '.join(parts)}]" if parts else source


def _arguments(frames: list[str], named: Mapping[str, str]) -> str:
    return ", ".join([*frames, *(f"{name}={literal(value)}" for name, value in named.items())])


def _is_usable(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and not keyword.iskeyword(name)
