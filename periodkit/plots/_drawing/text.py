"""Text on plots: characters that the fonts have, in the room that there is."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager, rcParams
from matplotlib.ft2font import FT2Font

from periodkit.wording import LEFT_TO_RIGHT, clean_label, short_labels

__all__ = ["drawable", "wrap_label", "wrap_labels"]

_MISSING = "▯"


def wrap_label(text: object, width: int = 22, lines: int = 2) -> str:
    r"""Return a name wrapped to a few short lines, for a tick or another label.

    Examples
    --------
    >>> wrap_label("Guest services and lost property desk", 14)
    'Guest services\nand…erty desk'
    """
    name = clean_label(text)
    for limit in range(min(len(name), width * lines), 0, -1):
        wrapped = textwrap.wrap(clean_label(text, limit) if limit < len(name) else name, width)
        if len(wrapped) <= lines:
            return "\n".join(wrapped)
    return name[:width]


def wrap_labels(names: Sequence[object], width: int = 22, lines: int = 2) -> list[str]:
    """Return names wrapped to a few short lines, that stay apart where only their ends or middles differ.

    Examples
    --------
    >>> wrap_labels(["Guest Services · Dispatched", "Guest Services · Despatched", "Bar"], 22, 1)
    ['Guest… · Dispatched', 'Guest… · Despatched', 'Bar']
    """
    labels = [wrap_label(name, width, lines) for name in names]
    often = Counter(labels)
    for label in [label for label, n in often.items() if n > 1]:
        rows = [at for at, own in enumerate(labels) if own == label]
        for limit in range(width * lines, width // 2, -1):
            short = [textwrap.wrap(each, width) for each in short_labels([names[at] for at in rows], limit)]
            if max(map(len, short)) <= lines:
                for at, each in zip(rows, short, strict=True):
                    labels[at] = "\n".join(each)
                break
    return labels


def drawable(text: str) -> str:
    r"""Return text that matplotlib draws as it is: no formulas, and no characters that its fonts lack.

    Examples
    --------
    >>> print(drawable("$5 or $10"))
    \$5 or \$10
    """
    missing = {LEFT_TO_RIGHT: ""}
    shown = "".join(
        letter if letter == "\n" or _has_glyph(letter) else missing.get(letter, _MISSING) for letter in text
    )
    return shown.replace("\\", "∖").replace("$", r"\$") if "$" in shown else shown


def _has_glyph(character: str) -> bool:
    return character.isascii() or any(font.get_char_index(ord(character)) for font in _fonts(*rcParams["font.family"]))


@cache
def _fonts(*families: str) -> tuple[FT2Font, ...]:
    paths = [font_manager.findfont(font_manager.FontProperties(family=[family])) for family in families]
    return tuple(font_manager.get_font(path) for path in dict.fromkeys(paths))
