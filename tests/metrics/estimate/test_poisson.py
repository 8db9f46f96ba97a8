"""Garwood's limits: R's figures, the definition, and edges."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import pdtr

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.poisson import garwood

ORACLE_FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "sffd"


def test_rates_agree_with_r():
    path = ORACLE_FOLDER / "oracle_profile.json"
    if not path.exists():
        pytest.skip(f"R's results (shared/data/sffd/{path.name}) are not beside the checkout")
    for marker in json.loads(path.read_text())["markers"]:
        for computed, name in zip(
            garwood(marker["n"], marker["exposure_min"]), ("rate", "rate_low", "rate_high"), strict=True
        ):
            np.testing.assert_allclose(computed, np.array(marker[name], dtype=float), rtol=1e-9, err_msg=name)


def test_limits_are_the_rates_at_which_so_few_or_so_many_become_unlikely():
    n = np.array([1, 5, 100, 100_000])
    _, low, high = garwood(n, 1.0, 0.9)
    np.testing.assert_allclose(1.0 - pdtr(n - 1, low), 0.05, rtol=1e-8)
    np.testing.assert_allclose(pdtr(n, high), 0.05, rtol=1e-8)


def test_no_exposure_is_no_rate():
    assert np.isnan(garwood([0, 3], [0.0, np.nan])).all()
    assert [float(each) for each in garwood(0, 2.0)][:2] == [0.0, 0.0]
    with pytest.raises(ArgumentError, match="exposure"):
        garwood(1, -1.0)
