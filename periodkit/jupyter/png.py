"""Pictures in notebooks and reports: small, and compared as pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

__all__ = ["distance", "in_few_colours", "shrink"]

_COLOURS = 64
_LEEWAY = 0.02


def in_few_colours(png: bytes, *, smallest: bool = True) -> bytes:
    """Return a PNG in a palette of few colours, which our pictures are made of, at a third of the size.

    Parameters
    ----------
    png : bytes
        The picture.
    smallest : bool
        Whether to take longer for the last tenth of the bytes.
    """
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        # An octree keeps colours that are rare, such as those of a few marks; the default would mix them with others.
        few = picture.convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # It is a hair off white, which the page around a picture is not.
    few.putpalette([255 if each > 252 else each for each in few.getpalette() or []])
    few.save(buffer, format="png", optimize=smallest)
    return buffer.getvalue()


def shrink(picture: str) -> str:
    """Return a base64 PNG in few colours."""
    return base64.b64encode(in_few_colours(base64.b64decode(picture))).decode("ascii")


def distance(picture: str, other: str) -> float:
    """Return the root of the mean squared difference of two base64 PNGs, 0 to 255; infinite where their sizes differ.

    A fiftieth more or less in size is left aside: it is what another version of the font library makes of a margin.
    """
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB"), dtype=np.float64)
        for each in (picture, other)
    )
    height, width = (min(pair) for pair in zip(first.shape[:2], second.shape[:2], strict=True))
    if any(abs(a - b) > _LEEWAY * b for a, b in zip(first.shape[:2], second.shape[:2], strict=True)):
        return float("inf")
    return float(np.sqrt(np.mean((first[:height, :width] - second[:height, :width]) ** 2)))
