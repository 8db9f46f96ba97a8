"""Small PNGs for notebooks and reports."""

from __future__ import annotations

import base64
import io

__all__ = ["in_few_colours", "shrink"]

_COLOURS = 64


def in_few_colours(png: bytes, *, smallest: bool = True) -> bytes:
    """Return a PNG with a palette of 64 colours, at a third of the size; plots have few colours.

    Parameters
    ----------
    png : bytes
        The picture.
    smallest : bool
        Whether to spend more time on the last tenth of the bytes.
    """
    from PIL import Image  # noqa: PLC0415  (`import periodkit` draws nothing)

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        # An octree keeps rare colours, such as those of a few marks; the default method would mix them with others.
        few = picture.convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # Quantised white is slightly off white, which shows on a white page.
    few.putpalette([255 if level > 252 else level for level in few.getpalette() or []])
    few.save(buffer, format="png", optimize=smallest)
    return buffer.getvalue()


def shrink(picture: str) -> str:
    """Return a base64 PNG in few colours."""
    return base64.b64encode(in_few_colours(base64.b64decode(picture))).decode("ascii")
