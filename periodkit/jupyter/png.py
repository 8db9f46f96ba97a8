"""Small PNGs for notebooks and reports."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["in_few_colours", "shrink"]

_COLOURS = 64


def in_few_colours(picture: bytes | Image, *, smallest: bool = True) -> bytes:
    """Return a picture as PNG with a palette of 64 colours, at a third of the size; plots have few colours.

    Parameters
    ----------
    picture : bytes or PIL.Image.Image
        The picture, as PNG or opened.
    smallest : bool
        Whether to spend more time on the last tenth of the bytes.
    """
    import PIL.Image  # noqa: PLC0415  (`import periodkit` draws nothing)

    if isinstance(picture, bytes):
        with PIL.Image.open(io.BytesIO(picture)) as opened:
            return in_few_colours(opened, smallest=smallest)
    # An octree keeps rare colours, such as those of a few marks; the default method would mix them with others.
    few = picture.convert("RGB").quantize(_COLOURS, method=PIL.Image.Quantize.FASTOCTREE, dither=PIL.Image.Dither.NONE)
    # Quantised white is slightly off white, which shows on a white page.
    few.putpalette([255 if level > 252 else level for level in few.getpalette() or []])
    buffer = io.BytesIO()
    few.save(buffer, format="png", optimize=smallest)
    return buffer.getvalue()


def shrink(picture: str) -> str:
    """Return a base64 PNG in few colours."""
    return base64.b64encode(in_few_colours(base64.b64decode(picture))).decode("ascii")
