"""Text on plots: characters that the fonts have, in the room that there is."""

from __future__ import annotations

import textwrap
from functools import cache

from matplotlib import font_manager, rcParams
from matplotlib.ft2font import FT2Font

from periodkit.wording import LEFT_TO_RIGHT, clean_label

__all__ = ["drawable", "wrap_label"]

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
