"""R's figures of two arms compared, for the fire-department calls."""

import json
from functools import cache

import pytest
from oracle import FOLDER


@cache
def effects():
    path = FOLDER / "oracle_effects.json"
    if not path.exists():
        pytest.skip("R's results (shared/data/sffd/oracle_effects.json) are not beside the checkout")
    return json.loads(path.read_text())
