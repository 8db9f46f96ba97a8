"""Archives to begin with: synced once, and copied for each test."""

import shutil
from functools import cache

import pytest
from platforms import Platform

import periodkit as pk


@pytest.fixture(scope="session")
def synced(tmp_path_factory):
    """Return a function that puts an archive of a platform of this size into a folder that is not there yet."""

    @cache
    def original(periods, actions):
        path = tmp_path_factory.mktemp("synced") / "a"
        pk.Archive(path).sync(Platform(periods, actions).client())
        return path

    def copied(path, periods=3, actions=4):
        return pk.Archive(shutil.copytree(original(periods, actions), path))

    return copied
