"""The archive against what one would otherwise use: reading one Parquet file, and syncing with dlt. Ratios, interleaved."""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

import periodkit as pk
from periodkit.archive.storage.folder import Folder
from periodkit.archive.storage.layout import period_records
from periodkit.archive.writer import Writer
from periodkit.frames.fingerprint import fingerprint
from periodkit.sandbox.server import DEFAULT_TOKEN, Sandbox

DLT = """
import sys, time
import dlt
from dlt.sources.rest_api import rest_api_source

url, token, folder = sys.argv[1:]

def once(i):
    source = rest_api_source({
        "client": {"base_url": url, "auth": {"type": "bearer", "token": token}, "paginator": "single_page"},
        "resources": [
            {"name": "periods", "endpoint": {"path": "periods", "data_selector": "periods"}},
            {"name": "actions", "endpoint": {
                "path": "periods/{id}/actions", "data_selector": "actions",
                "params": {"id": {"type": "resolve", "resource": "periods", "field": "id"}}}},
        ],
    })
    pipeline = dlt.pipeline(f"bench{i}", pipelines_dir=f"{folder}/state{i}",
                            destination=dlt.destinations.filesystem(f"file://{folder}/out{i}"), dataset_name="season")
    began = time.perf_counter()
    pipeline.run(source, loader_file_format="parquet")
    return time.perf_counter() - began

once(0)
for i in range(1, 1 + ROUNDS):
    sys.stdin.readline()
    print(once(i), flush=True)
"""


def season():
    with pk.demo_client(progress=False) as client:
        periods = client.periods()
        return periods, client.actions(periods, form_fields=["department", "priority", "location"])


def grown(periods, actions, rows):
    """The season over and over, a year and some seconds later each, until it has so many actions."""
    more, many = [], []
    for i in range(rows // len(actions) + 1):
        later = pd.Timedelta(days=365 * i, seconds=17 * i)
        shifted = {name: actions[name] + later for name in actions.columns if "_time" in name}
        more.append(periods.assign(period_id=periods["period_id"] + 1000 * i))
        many.append(actions.assign(period_id=actions["period_id"] + 1000 * i, **shifted))
    return pd.concat(more, ignore_index=True), pd.concat(many, ignore_index=True).iloc[:rows]


def fill(folder, periods, actions):
    folder.path.mkdir()
    folder.prepare()
    writer = Writer(folder)
    writer.begin(periods, period_records(periods), [])
    for period_id, frame in actions.groupby("period_id", sort=False):
        writer.add(int(period_id), frame.reset_index(drop=True))
    writer.flush()
    writer.compact(always=True)


def interleaved(ways, rounds):
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - began)
    return times


def show(times, baseline):
    for name, found in times.items():
        middle = statistics.median(found)
        print(f"  {name}: {middle:.2f} s, {middle / statistics.median(times[baseline]):.2f} x {baseline}")


def reading(rows, rounds):
    periods, actions = grown(*season(), rows)
    with tempfile.TemporaryDirectory() as place:
        one = Path(place) / "actions.parquet"
        actions.to_parquet(one, index=False)
        folder = Folder(Path(place) / "archive")
        fill(folder, periods, actions)
        archive = pk.Archive(folder.path)
        size = sum(path.stat().st_size for path in archive.files())
        print(f"{len(actions):,} actions, {actions['period_id'].nunique():,} periods: {len(archive.files())} files of")
        print(f"  {size / 1e6:.1f} MB in all; one Parquet file has {one.stat().st_size / 1e6:.1f} MB")
        some = ["period_id", "classification", "created_time", "closed_time", "status", "fetched_at"]
        ways = {
            "pd.read_parquet of one file": lambda: pd.read_parquet(one),
            "archive.actions()": archive.actions,
            "the same six columns of one file": lambda: pd.read_parquet(one, columns=some),
            "archive.actions(columns=...)": lambda: archive.actions(columns=some),
            "one period": lambda: archive.actions(int(periods["period_id"].iloc[len(periods) // 2])),
            "fingerprint of all": lambda: fingerprint(periods, actions),
        }
        times = interleaved(ways, rounds)
        show(times, "pd.read_parquet of one file")
        show({name: times[name] for name in list(ways)[2:4]}, "the same six columns of one file")


def syncing(rounds, python):
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as place:
        other = None
        if python is not None:
            script = DLT.replace("ROUNDS", str(rounds))
            other = subprocess.Popen(
                [python, "-c", script, sandbox.base_url, DEFAULT_TOKEN, place],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            )  # fmt: skip
        times = {"archive.sync": [], "dlt rest_api to Parquet": []}
        with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
            pk.Archive(Path(place) / "first").sync(client)
            for i in range(rounds):
                began = time.perf_counter()
                result = pk.Archive(Path(place) / str(i)).sync(client)
                times["archive.sync"].append(time.perf_counter() - began)
                if other is not None:
                    other.stdin.write("\n")
                    times["dlt rest_api to Parquet"].append(float(other.stdout.readline()))
        print(f"Sync of {result.fetched} periods, {result.rows:,} actions, from the sandbox on this machine")
        show({name: found for name, found in times.items() if found}, "archive.sync")
        if other is not None:
            other.communicate()


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--dlt-python", help="a Python that has dlt[filesystem,parquet]: its venv's bin/python")
    asked.add_argument("--only", choices=["read", "sync"])
    given = asked.parse_args()
    if given.only != "sync":
        reading(given.rows, given.rounds)
    if given.only != "read":
        syncing(given.rounds, given.dlt_python)
