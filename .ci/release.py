"""Build what is released, twice, and check it: ``python .ci/release.py dist``.

The two builds must be the same bytes, so that anyone can build a release again and compare.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# hatchling writes this moment for every file. Any will do, as long as it is the same.
MOMENT = "1580601600"


def build(folder: Path) -> dict[str, str]:
    """Build the sdist, and of it the wheel; return the SHA-256 of each file by its name."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": MOMENT}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def release(folder: Path) -> None:
    """Put what is released into a new folder, with its hashes."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        built, again = build(Path(first)), build(Path(second))
        if built != again:
            sys.exit(f"Two builds of the same files differ: {built} and {again}")
        command = [sys.executable, "-m", "twine", "check", "--strict", *(str(Path(first, name)) for name in built)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        if checked.returncode:
            sys.exit(checked.stdout + checked.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(first, folder)
    sums = "".join(f"{digest}  {name}\n" for name, digest in built.items())
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build what is released, twice, and check it.")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist")
    release(parser.parse_args().folder.resolve())
