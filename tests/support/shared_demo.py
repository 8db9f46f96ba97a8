"""One demo for all doctests, but for those whose subject it is."""

import pytest
from one_demo import one_demo

import periodkit as pk

REAL = ("periodkit.client", "periodkit.sandbox", "periodkit.sources")
"""Where examples are of fetching itself."""


@pytest.fixture(scope="session")
def open_demo():
    with one_demo() as opened:
        yield opened


@pytest.fixture(autouse=True)
def demo_of_doctests(request, monkeypatch):
    if isinstance(request.node, pytest.DoctestItem) and not request.node.name.startswith(REAL):
        monkeypatch.setattr(pk, "demo_client", request.getfixturevalue("open_demo"))
