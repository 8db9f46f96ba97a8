"""Pictures in committed notebooks: small, and compared as pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

__all__ = ["distance", "shrink"]

_COLOURS = 48
_LEEWAY = 0.02


def shrink(picture: str) -> str:
    """Return a base64 PNG in a palette of few colours, which our pictures are made of: a third of the bytes."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        few = image.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


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
