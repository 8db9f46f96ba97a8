"""200 periods from a server that takes 100 ms a request: `Client` against one-at-a-time `requests` and the limit."""

import statistics
import subprocess
import sys
import time

import pandas as pd
import requests

import periodkit as pk
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.season import make_season
from periodkit.sandbox.server import DEFAULT_TOKEN, serve

LATENCY = 0.1
PERIODS = 200
WORKERS = 8


def many_periods(most):
    """The season's periods with at most so many actions each, over and over under new ids."""
    season = make_season().dataset
    periods, actions = [], {}
    for i in range(PERIODS):
        source = season.periods[i % len(season.periods)]
        periods.append(source | {"id": 1000 + i})
        actions[1000 + i] = [record | {"periodId": 1000 + i} for record in season.actions[source["id"]][:most]]
    return DataSet(season.as_of, season.source, periods, actions, {})


def with_periodkit(url, token):
    with pk.Client(url, token, workers=WORKERS, progress=False) as client:
        return client.actions(client.periods())


def one_at_a_time(url, token):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        periods = session.get(f"{url}/periods", timeout=60).json()["periods"]
        frames = [
            pd.DataFrame(session.get(f"{url}/periods/{each['id']}/actions", timeout=60).json()["actions"])
            for each in periods
        ]
    frame = pd.concat(frames, ignore_index=True)
    for name in ("createdTime", "assignedTime", "doingTime", "closedTime"):
        frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True)
    return frame


def compare(most, rounds):
    limit = (PERIODS + 1) / WORKERS * LATENCY
    times = {with_periodkit: [], one_at_a_time: []}
    # A process of its own, as a server is: here it would take turns with the client.
    command = [sys.executable, __file__, "--serve", str(most)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip()
            with_periodkit(url, DEFAULT_TOKEN)  # the sandbox makes each answer once
            for _ in range(rounds):
                for way, each in times.items():
                    began = time.perf_counter()
                    rows = len(way(url, DEFAULT_TOKEN))
                    each.append(time.perf_counter() - began)
        finally:
            server.terminate()
    print(
        f"{PERIODS} periods, {rows:,} actions, {LATENCY * 1000:.0f} ms a request; median of {rounds} interleaved runs"
    )
    print(f"  the limit, {PERIODS + 1} / {WORKERS} workers x {LATENCY} s: {limit:.2f} s")
    for way, each in times.items():
        print(
            f"  {way.__name__:15} {statistics.median(each):6.2f} s, {statistics.median(each) / limit:5.2f} x the limit"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        data = many_periods(int(sys.argv[2]))
        serve(data, latency=LATENCY, announce=lambda url: print(url, flush=True))
    else:
        for most in (100, 10_000):
            compare(most, int(sys.argv[1]) if len(sys.argv) > 1 else 3)
