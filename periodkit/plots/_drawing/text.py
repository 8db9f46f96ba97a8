"""Text on pictures: what their fonts can draw, in the room that there is."""

from __future__ import annotations

import textwrap
from functools import cache

from matplotlib import font_manager, rcParams
from matplotlib.ft2font import FT2Font

from periodkit.wording import LEFT_TO_RIGHT, plain

__all__ = ["drawable", "stub"]

_MISSING = "▯"


def stub(text: object, width: int = 22, lines: int = 2) -> str:
    r"""Return a name wrapped to a few short lines, for a tick or a label.

    Examples
    --------
    >>> stub("Guest services and lost property desk", 14)
    'Guest services\nand…erty desk'
    """
    name = plain(text)
    for limit in range(min(len(name), width * lines), 0, -1):
        wrapped = textwrap.wrap(plain(text, limit) if limit < len(name) else name, width)
        if len(wrapped) <= lines:
            return "\n".join(wrapped)
    return name[:width]


def drawable(text: str) -> str:
    r"""Return text that matplotlib draws as it stands: no formulas, and no character that its fonts lack.

    Examples
    --------
    >>> print(drawable("$5 or $10"))
    \$5 or \$10
    """
    missing = {LEFT_TO_RIGHT: ""}
    shown = "".join(each if each == "\n" or _has_glyph(each) else missing.get(each, _MISSING) for each in text)
    return shown.replace("\\", "∖").replace("$", r"\$") if "$" in shown else shown


def _has_glyph(character: str) -> bool:
    return character.isascii() or any(font.get_char_index(ord(character)) for font in _fonts(*rcParams["font.family"]))


@cache
def _fonts(*families: str) -> tuple[FT2Font, ...]:
    found = [font_manager.findfont(font_manager.FontProperties(family=[each])) for each in families]
    return tuple(font_manager.get_font(path) for path in dict.fromkeys(found))
