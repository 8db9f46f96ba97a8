"""Build the site: ``python docs/tools/site_build.py build/site``. Nothing is written elsewhere, and nothing is fetched."""

import argparse
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from site_links import broken_links
from site_reference import write_reference
from sphinx.cmd.build import main as sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
# Pages that the start page lists; any other page of docs/ is a guide.
LISTED = {"SECURITY", "data-dictionary", "glossary", "guides", "index", "methods", "notebooks", "plots", "tutorial"}


def lay_out(source: Path) -> None:
    """Bring together what Sphinx reads: these pages, the notebooks, the changelog, and a page of each public name."""
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("__pycache__", "gallery", "plots.md"))
    shutil.copytree(DOCS / "gallery", source / "_examples", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, source / name.lower())
    (source / "notebooks").mkdir()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        nbformat.write(with_alt_texts(nbformat.read(path, as_version=4)), source / "notebooks" / path.name)
    guides = source / "guides.md"
    found = "\n".join(sorted({path.stem for path in DOCS.glob("*.md")} - LISTED))
    guides.write_text(guides.read_text(encoding="utf-8").replace(":hidden:\n", f"\n{found}\n"), encoding="utf-8")
    for page in source.rglob("*.md"):
        page.write_text(on_the_site(page.read_text(encoding="utf-8")), encoding="utf-8")
    write_reference(source / "reference")


def on_the_site(text: str) -> str:
    """Turn links between files of the repository into links between pages."""
    text = re.sub(r"\]\((?:\.\./)*CHANGELOG\.md", "](/changelog.md", text)
    text = re.sub(r"\]\((?:\.\./)*CONTRIBUTING\.md", "](/contributing.md", text)
    text = re.sub(r"\]\((?:\.\./)*notebooks/", "](/notebooks/", text)
    text = re.sub(r"\]\((?:docs/|\.\./)*plots\.md(#[\w-]*)?", "](/gallery/index.rst", text)
    return re.sub(r"\]\(docs/", "](/", text)


def with_alt_texts(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Say the alt text of each cell's picture where MyST-NB looks for it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return notebook


def build(site: Path, *options: str) -> int:
    """Build the site into a folder, from nothing. Warnings are errors, and so are links that lead nowhere."""
    shutil.rmtree(site, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        lay_out(source)
        failed = sphinx(["-q", "-W", "--keep-going", "-d", f"{folder}/doctrees", *options, str(source), str(site)])
    (site / ".buildinfo").unlink(missing_ok=True)
    for page, link in broken_links(site):
        print(f"{page}: {link} leads nowhere", file=sys.stderr)
        failed = 1
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "build" / "site")
    asked = parser.parse_args()
    began = time.monotonic()
    if build(asked.site):
        sys.exit("The site was not built as it should be: see above.")
    print(f"The site is {asked.site / 'index.html'} ({time.monotonic() - began:.0f} s)")
