"""How long a report takes from a warm archive, and where the time goes.

Run with ``python benchmarks/report.py [ROUNDS]``, and not with PYTHONDONTWRITEBYTECODE set, which compiles every library
anew each time. The archive is made first and read once. Whole reports are timed as a
user would: in the file system, kernel and all. Then the steps of one are timed in a single process: what a kernel needs
before the first cell, each cell of the notebook, and what becomes of its outputs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from periodkit.archive.archive import Archive
from periodkit.client import Client
from periodkit.reporting.build import report
from periodkit.sandbox.season import make_season
from periodkit.sandbox.server import Sandbox

CONCERT = 4110
"""A period of the synthetic season with 1,002 actions."""


def main(rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "archive")
        season = make_season()
        with Sandbox(season.dataset) as sandbox, Client(sandbox.base_url, sandbox.token, progress=False) as client:
            archive.sync(client, end="2025-05-17")
        actions = archive.actions(archive.periods())
        print(f"A warm archive of {actions['period_id'].nunique()} periods and {len(actions):,} actions\n")
        cases: dict[str, dict[str, Any]] = {
            "one period, nothing before": {"period": CONCERT, "compare": 0},
            "one period, the three before": {"period": CONCERT},
            "a season": {"season": True},
        }
        for name, options in cases.items():
            output = Path(folder) / "report.html"
            spent = [seconds(partial(report, output=output, archive=archive.path, **options)) for _ in range(rounds)]
            print(
                f"{name:30} {median(spent):5.1f} s (of {rounds}: {', '.join(f'{each:.1f}' for each in spent)})", end=""
            )
            print(f", {output.stat().st_size / 1e6:.2f} MB")
        for name, season, options in (
            ("one period", False, {"period_ids": [CONCERT]}),
            ("a season", True, {}),
        ):
            print(f"\nWhere it goes: {name}")
            steps(season, {"archive": str(archive.path), "phone": True, **options})


def steps(season: bool, parameters: dict[str, Any]) -> None:
    """Run `in_process` in a fresh interpreter."""
    subprocess.run([sys.executable, __file__, "steps", json.dumps([season, parameters])], check=True)


def in_process(season: bool, parameters: dict[str, Any]) -> None:
    """Time the steps of a report in this fresh process."""
    took: dict[str, float] = {}
    with timed(took, "import what makes notebooks, pages and plots"):
        import IPython.display
        import nbclient  # noqa: F401
        import nbformat

        from periodkit.jupyter.files import execute, normalise, parameterise, report_notebook
        from periodkit.reporting.page.html import to_html
    with timed(took, "start a kernel, and stop it"):
        execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), Path.cwd())
    with timed(took, "set the parameters"):
        notebook = parameterise(report_notebook(season=season), parameters)
    shown: list[Any] = []

    def display(data: dict[str, Any], metadata: dict[str, Any] | None = None, raw: bool = False) -> None:  # noqa: ARG001
        shown.append(nbformat.v4.new_output("display_data", dict(data), metadata=metadata or {}))

    IPython.display.display = display
    names: dict[str, Any] = {}
    kinds = {"head": "read the archive, hash it", "findings": "findings", "key-figures": "key figures"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown.clear()
            kind = kinds.get(
                cell["id"], "plots, two of each" if "show_plot" in cell.source or "trend" in cell.source else "tables"
            )
            with timed(took, kind):
                exec(compile(cell.source, cell["id"], "exec"), names)
            cell.outputs = [*shown]
    with timed(took, "write the page"):
        to_html(normalise(notebook))
    for name, spent in took.items():
        print(f"  {name:42} {spent:5.2f} s")
    print(f"  {'sum':42} {sum(took.values()):5.2f} s")


@contextmanager
def timed(took: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    took[name] = took.get(name, 0.0) + time.perf_counter() - began


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        in_process(*json.loads(sys.argv[2]))
    else:
        main(*(int(each) for each in sys.argv[1:]))
