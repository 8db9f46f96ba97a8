"""`parse_actions` against what one would otherwise write: time and peak memory, interleaved in one run."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from periodkit.parse import parse_actions
from periodkit.parse.response import Answer

TIMES = ["createdTime", "assignedTime", "doingTime", "closedTime"]
FETCHED = datetime(2024, 7, 2, 6, 30, tzinfo=UTC)


def make_records(n, period_id=4711):
    """Actions as the API sends them; about 520 bytes each."""
    rng = np.random.default_rng(7)
    start = datetime(2024, 7, 1, 12, tzinfo=UTC)
    kinds = ["Cleaning", "Medical", "Security", "Ticketing", "Traffic", "Maintenance"]
    channels = ["North concourse", "East concourse", "South concourse", "West concourse"]
    gaps = rng.exponential(120, (n, 4)).cumsum(axis=1)
    begins = rng.integers(0, 8 * 3600, n)
    records = []
    for i in range(n):
        times = [start + timedelta(seconds=float(begins[i] + gap)) for gap in gaps[i]]
        texts = [f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z" for moment in times]
        closed = rng.random() > 0.1
        records.append(
            {
                "periodId": period_id,
                "periodName": "Cup final",
                "periodActionId": i + 1,
                "actionId": 9_000_000 + i,
                "classification": kinds[i % 6],
                "subClassification": f"{kinds[i % 6]} {i % 9}",
                "status": "closed" if closed else "open",
                "createdTime": texts[0],
                "assignedTime": texts[1],
                "doingTime": texts[2],
                "closedTime": texts[3] if closed else None,
                "createdByUserName": f"Steward {i % 300:03d}",
                "periodMarker": "Kick-off",
                "assignedUserNames": [f"Medic {i % 40:02d}", f"Runner {i % 60:02d}"][: 1 + i % 2],
                "channel": channels[i % 4],
                "formType": "incident",
                "latestChannel": channels[i % 4],
                "aiDispatched": [True, False, None][i % 3],
                "notes": [],
            }
        )
    return records


def periodkit(bodies):
    return parse_actions([Answer(body, FETCHED, 4711 + i) for i, body in enumerate(bodies)])


def with_times(frame):
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True)
    return frame


def plain_pandas(bodies):
    frames = [with_times(pd.DataFrame(json.loads(body)["actions"])) for body in bodies]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def json_normalize(bodies):
    frames = [with_times(pd.json_normalize(json.loads(body), "actions")) for body in bodies]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


WAYS = {each.__name__: each for each in (periodkit, plain_pandas, json_normalize)}


def peak_mib():
    # A child's ru_maxrss begins at its parent's; the kernel's own high-water mark does not.
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))[1]) / 1024


def in_process(name, paths):
    """Parse in a process of its own, for its peak memory over that of the bodies and the imports."""
    WAYS[name]([json.dumps({"actions": make_records(5)}).encode()])
    bodies = [Path(path).read_bytes() for path in paths]
    before = peak_mib()
    WAYS[name](bodies)
    print(f"{peak_mib() - before:,.0f}")


def compare(title, bodies, rounds):
    size = sum(map(len, bodies)) / 2**20
    times = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            began = time.perf_counter()
            frame = way(bodies)
            times[name].append(time.perf_counter() - began)
            assert len(frame) == 100_000
            del frame
    print(f"{title}, {size:.0f} MiB, median of {rounds} interleaved runs")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.json" for i in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body)
        for name, each in times.items():
            command = [sys.executable, __file__, "--memory", name, *map(str, paths)]
            peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            ratio = statistics.median(a / b for a, b in zip(each, times["periodkit"], strict=True))
            print(
                f"  {name:15} {statistics.median(each):6.2f} s, {ratio:5.2f} x periodkit, {peak:>5} MiB on top of the body"
            )


def main(rounds):
    records = make_records(100_000)
    compare("One body of 100,000 actions", [json.dumps({"actions": records}).encode()], rounds)
    many = [
        json.dumps(
            {"actions": [record | {"periodId": 4711 + i} for record in records[i * 100 : i * 100 + 100]]}
        ).encode()
        for i in range(1000)
    ]
    compare("1,000 bodies of 100 actions", many, rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        in_process(sys.argv[2], sys.argv[3:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
