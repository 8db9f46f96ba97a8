"""The archive's small JSON files, read as what may have been damaged or edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TOO_LARGE = 2**63


def read_json(path: Path) -> dict[str, Any]:
    """Read a small file that `Folder.write_json` wrote; a ValueError says why it cannot be one."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None
    if not isinstance(said, dict):
        msg = "it is not an object of JSON"
        raise ValueError(msg)
    return said


def whole_number(value: object) -> int:
    """Return a version or format as it was written; a ValueError says that it is none."""
    if type(value) is not int or not 0 <= value < _TOO_LARGE:
        msg = f"{value!r:.40} is no version"
        raise ValueError(msg)
    return value
