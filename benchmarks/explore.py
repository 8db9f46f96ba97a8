"""How long the explorer takes to answer a change: the part that is computed in the kernel.

``python benchmarks/explore.py [ROUNDS]`` makes each change of a control in turn, without a browser, at 20,000 and at
200,000 actions, and prints the median and the slowest of the rounds: wall clock, and processor time of the thread. What
the page then takes to draw comes on top.
"""

import statistics
import sys
import time

import pandas as pd

import periodkit as pk

CHANGES = [
    ("stage", "response"),
    ("by", "channel"),
    ("ai", "not AI-dispatched"),
    ("as_of", 60),
    ("channel", (0, 1)),
    ("ai", "all"),
    ("by", "classification"),
    ("channel", ()),
    ("picture", "aging"),
    ("picture", "cycle_scatter"),
    ("stage", "cycle"),
    ("by", ""),
    ("as_of", 61),
]


def season(size):
    with pk.demo_client() as client:
        periods = client.periods()
        actions = client.actions(periods)
    copies = [actions.assign(action_id=actions["action_id"] + f"-{at}") for at in range(-(-size // len(actions)))]
    return periods, pd.concat(copies, ignore_index=True).head(size)


def changes(explorer, rounds):
    found = {}
    for _ in range(rounds):
        for name, value in CHANGES:
            wall, own = time.perf_counter(), time.thread_time()
            explorer.controls[name].value = value
            spent = 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - own)
            found.setdefault(f"{name} = {value}", []).append(spent)
    return found


def main(rounds):
    wall = time.perf_counter()
    periods, actions = season(1000)
    pk.explore(actions, periods).close()
    print(f"first explorer of a process, with imports and the offline bundle: {time.perf_counter() - wall:.1f} s")
    for size in (20_000, 200_000):
        periods, actions = season(size)
        wall = time.perf_counter()
        explorer = pk.explore(actions, periods)
        print(f"\n{size:,} actions: made in {1000 * (time.perf_counter() - wall):.0f} ms")
        for name, spent in changes(explorer, rounds).items():
            walls, owns = zip(*spent, strict=True)
            print(
                f"  {name:<32} {statistics.median(walls):5.0f} ms, slowest {max(walls):5.0f}; "
                f"processor {statistics.median(owns):5.0f} ms"
            )
        explorer.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
