"""Whose data it is, as a notebook says it."""

import pandas as pd
from platforms import Platform
from servers import scripted

import periodkit as pk


def test_the_client_and_not_the_environment_says_whose_data_it_is(sandbox, monkeypatch, recorded_path):
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        said = pk.source(client, client.actions(4101))
    assert said == (
        "Data: the sandbox, a synthetic season of an invented venue. 1 period with 187 actions, as of 2025-05-17 15:08 UTC."
    )
    with scripted(lambda path, sent: (200, {}, {"periods": []})) as (url, _):
        with pk.Client(url, "t0ken-of-mine", progress=False) as mine:
            assert pk.source(mine, mine.periods()) == f"Data: the account at {url}. No actions."
    monkeypatch.setenv("ALO_BASE_URL", "https://venue.invalid")
    monkeypatch.setenv("ALO_API_TOKEN", "s3cr3t")
    with pk.demo_client(progress=False) as client:
        assert pk.source(client, client.actions(4101)).startswith(
            "Data: the sandbox, a synthetic season of an invented"
        )
    with pk.demo_client(recorded_path, progress=False) as client:
        none = client.actions(client.periods().head(0))
        assert pk.source(client, none) == f"Data: the sandbox, serving {recorded_path.name}. No actions."


def test_an_archive_is_called_one_and_says_whose(tmp_path):
    nothing = pd.DataFrame({"period_id": [], "fetched_at": []})
    archive = pk.Archive(tmp_path / "store")
    archive.sync(Platform(periods=0).client())
    assert pk.source(archive.held(), nothing) == "Data: an archive of the sandbox, serving a platform. No actions."
    assert pk.source(archive, nothing) == pk.source(archive.held(), nothing)
    moved = Platform(periods=0).client()
    moved.origin = "https://api.example.com"
    archive.sync(moved, origin_changed=True)
    assert pk.source(archive, nothing) == "Data: an archive of the account at https://api.example.com. No actions."
