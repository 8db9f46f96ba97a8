"""Combinations of parameters: a sample in which each two of them meet, and the rest in `make soak`."""

from itertools import product

import pytest


def in_turn(*names):
    """Return all combinations for `parametrize`, of which `make test` runs those in which the last one takes its turn.

    Whatever fails for one of the others with any of the last is met, and so is what fails for two of the others together.
    """
    places = [range(len(each)) for each in names]
    return [
        pytest.param(
            *(each[at] for each, at in zip(names, where, strict=True)),
            marks=() if sum(where) % len(names[-1]) == 0 else pytest.mark.soak,
            id="-".join(str(each[at]) for each, at in zip(names, where, strict=True)),
        )
        for where in product(*places)
    ]
