"""Text from elsewhere, made safe for a terminal."""

import re

# C0, DEL and C1 controls but for line feed and tab; what reorders text or ends a line; halves of surrogate pairs.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LAYOUT = re.compile("[\n\t]")


def visible(text: str, *, one_line: bool = False) -> str:
    r"""Return text in which a terminal shows control characters as escapes, and obeys none.

    Parameters
    ----------
    text : str
        Whatever a server, an archive or a file said.
    one_line : bool
        Whether line feeds and tabs are escaped too, as in a value within a line.

    Examples
    --------
    >>> print(visible("Doors\x1b[2J open"))
    Doors\x1b[2J open
    """
    shown = _OBEYED.sub(_escape, text)
    return _LAYOUT.sub(_escape, shown) if one_line else shown


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")
