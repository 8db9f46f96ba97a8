"""PNGs in notebooks and reports: make them small, and compare them."""

from __future__ import annotations

import base64
import io

import numpy as np

__all__ = ["distance", "in_few_colours", "shrink"]

_COLOURS = 64
_LEEWAY = 0.02


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


def distance(picture: str, other: str) -> float:
    """Return the root mean squared difference of two base64 PNGs, 0 to 255; infinite if their sizes differ.

    Sizes may differ by 2 %: other versions of the font library give other margins.
    """
    from PIL import Image  # noqa: PLC0415

    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), dtype=np.float64)
        for png in (picture, other)
    )
    height, width = (min(pair) for pair in zip(first.shape[:2], second.shape[:2], strict=True))
    if any(abs(a - b) > _LEEWAY * b for a, b in zip(first.shape[:2], second.shape[:2], strict=True)):
        return float("inf")
    return float(np.sqrt(np.mean((first[:height, :width] - second[:height, :width]) ** 2)))
