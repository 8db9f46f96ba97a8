"""How long a report takes from a warm archive, against another version of periodkit, and where the time goes.

Run with ``python benchmarks/report.py [ROUNDS] [OTHER]``, and not with PYTHONDONTWRITEBYTECODE set, which compiles every
library anew each time. OTHER is a checkout of another version; both make whole reports from the command line, one after the
other in each round, and the ratio is printed. Then the steps of one report are timed in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[1]
CASES = {
    "one period, the 24 before": ["--period", "4173"],
    "a part of it": ["--period", "4173", "--where", "channel=Medical"],
    "a season": ["--season"],
}


def main(rounds: int = 3, other: str | None = None) -> None:
    from periodkit.archive import Archive
    from periodkit.client import Client
    from periodkit.sandbox import Sandbox

    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "archive")
        with Sandbox() as sandbox, Client(sandbox.base_url, sandbox.token, progress=False) as client:
            archive.sync(client, end="2025-05-17")
        print(f"A warm archive of {len(archive.periods())} periods and {len(archive.actions()):,} actions\n")
        trees = [HERE] if other is None else [HERE, Path(other).resolve()]
        for name, options in CASES.items():
            able = trees[:1] if "--where" in options else trees
            spent: dict[Path, list[tuple[float, float]]] = {tree: [] for tree in able}
            for tree in able:
                seconds(tree, archive.path, options)  # compiles what is not compiled
            for _ in range(rounds):
                for tree in able:
                    spent[tree].append(seconds(tree, archive.path, options))
            wall, processor = ([median(each[at] for each in spent[tree]) for tree in able] for at in (0, 1))
            print(f"{name:28} {wall[0]:5.1f} s, of the processor {processor[0]:5.1f} s", end="")
            if len(able) > 1:
                print(f"; over the other version's {wall[0] / wall[1]:.2f}, {processor[0] / processor[1]:.2f}", end="")
            print()
        for season in (False, True):
            print(f"\nProcessor seconds of {'a season' if season else 'one period'}")
            subprocess.run(
                [sys.executable, __file__, "steps", json.dumps([str(archive.path), season])],
                check=True,
                env=environment(HERE),
            )


def environment(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree)}


def seconds(tree: Path, archive: Path, options: list[str]) -> tuple[float, float]:
    """Return the seconds, and those of the processor, that a report takes in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "periodkit", "report", "--archive", str(archive), *options, "-o", "r.html"]
        began, before = time.perf_counter(), os.times()
        subprocess.run(command, check=True, env=environment(tree), cwd=folder, stdout=subprocess.DEVNULL)
        after = os.times()
        processor = after.children_user + after.children_system - before.children_user - before.children_system
        return time.perf_counter() - began, processor


def steps(archive: str, season: bool) -> None:
    """Time the steps of a report in this fresh process."""
    took: dict[str, float] = {}
    with timed(took, "import what a report needs"):
        import periodkit.archive
        import periodkit.plots
        import periodkit.reporting.page.html as page
        import periodkit.reporting.sections
        import periodkit.reporting.tables
        from periodkit.jupyter import report_notebook, run_cells
    path = report_notebook(season=season)
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    kinds = iter([kind_of(cell["id"], "".join(cell["source"])) for cell in cells])
    began = [time.process_time()]

    def lap() -> None:
        now, kind = time.process_time(), next(kinds)
        took[kind] = took.get(kind, 0.0) + now - began[0]
        began[0] = now

    source = periodkit.archive.Archive(archive).held()
    notebook = run_cells(path, {"source": source, "phone": True}, lap)
    with timed(took, "write the page"):
        page.to_html(notebook)
    for name, spent in took.items():
        print(f"  {name:32} {spent:5.2f} s")
    print(f"  {'sum':32} {sum(took.values()):5.2f} s")


def kind_of(name: str, source: str) -> str:
    if name in ("parameters", "head"):
        return "read the archive, hash it"
    if name in ("key-figures", "findings"):
        return "key figures and findings"
    return "plots" if any(word in source for word in ("show_plot", "trend", "show_unusual")) else "tables"


@contextmanager
def timed(took: dict[str, float], name: str) -> Iterator[None]:
    began = time.process_time()
    yield
    took[name] = took.get(name, 0.0) + time.process_time() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        steps(*json.loads(sys.argv[2]))
    else:
        main(*(int(each) if each.isdigit() else each for each in sys.argv[1:]))
