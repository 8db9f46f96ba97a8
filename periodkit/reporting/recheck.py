"""A report's page, compared with the page that the archive's data give now."""

from __future__ import annotations

import difflib
import re
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

from periodkit.reporting.build import report
from periodkit.reporting.page import read_stamp

__all__ = ["Difference", "PageCheck", "check_page"]

_VOID = {"meta", "link", "img", "source", "br", "hr", "input", "wbr"}
_LINES = {"p", "li", "tr", "caption", "h1", "h2", "h3", "summary", "pre", "dt", "dd", "footer"}
_ID = re.compile("[0-9]{1,19}")
_FREE_TERMS = {"From", "Made with", "To make it again", "To check it"}
"""What a footer says of how it was made, which may differ. All else in it is compared, and so is what stands after it."""

_TERMS = _FREE_TERMS | {"Data", "As of"}
_FOOTER_TAGS = {"dl", "div", "dt", "dd", "code", "footer"}
_OPTIONS = {"--compare", "--target", "--tz"}


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a page states and its data do not give, or the other way round.

    Parameters
    ----------
    section : str
        The heading above it.
    stated : str or None
        What the page says; None where it lacks something.
    computed : str or None
        What the data give; None where they give nothing of the kind.
    """

    section: str
    stated: str | None
    computed: str | None


@dataclass(frozen=True, slots=True)
class PageCheck:
    """Result of computing a report's page again.

    Parameters
    ----------
    differences : tuple of Difference
        Key figures, findings, table rows, sentences and descriptions of plots that differ.
    lines : int
        How many were compared.
    identical : bool
        Whether pictures and markup are the same, too.
    made_with : str
        The versions that made the page, as it says.
    made_with_now : str
        The versions that made the page it was compared with.
    """

    differences: tuple[Difference, ...]
    lines: int
    identical: bool
    made_with: str
    made_with_now: str


def check_page(path: str | Path, archive: str | Path, snapshot: str | None) -> PageCheck | None:
    """Make a report again from an archive, and compare what the two pages state.

    Parameters
    ----------
    path : path
        The HTML file. It is untrusted: nothing in it is run, and of the command in its footer only known options count.
    archive : path
        The folder of the archive.
    snapshot : str or None
        The snapshot to read; None reads the present state.

    Returns
    -------
    PageCheck or None
        None where the page does not say which options it was made with.
    """
    page = _Page(Path(path).read_text(encoding="utf-8", errors="replace"))
    options = _options(page.command)
    if options is None:
        return None
    part = read_stamp(path).part
    if part is not None:
        # The stamp tells null from an empty text, which a command cannot.
        options["where"] = dict(part.choices)
    with tempfile.TemporaryDirectory() as folder:
        made = report(output=Path(folder) / "report.html", archive=archive, snapshot=snapshot, **options)
        again = _Page(made.read_text(encoding="utf-8"))
    return PageCheck(
        tuple(_differences(page.lines, again.lines)),
        len(again.lines),
        page.body == again.body,
        page.made_with,
        again.made_with,
    )


def _options(command: str) -> dict[str, Any] | None:
    """Return the arguments of `report` that the command in a footer stands for."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if words[:2] != ["periodkit", "report"]:
        return None
    options: dict[str, Any] = {"period": [], "season": "--season" in words, "names": "--names" in words}
    for option, value in pairwise(words):
        if option == "--period" and _ID.fullmatch(value):
            options["period"].append(int(value))
        elif option == "--compare" and _ID.fullmatch(value):
            options["compare"] = int(value)
        elif option in _OPTIONS and option != "--compare":
            options[option.removeprefix("--")] = value
    return options if options["period"] else None


def _differences(stated: list[tuple[str, str]], computed: list[tuple[str, str]]) -> Iterator[Difference]:
    matcher = difflib.SequenceMatcher(None, stated, computed, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            continue
        for at in range(max(j - i, m - k)):
            left = stated[i + at] if i + at < j else None
            right = computed[k + at] if k + at < m else None
            section = (left or right or ("", ""))[0]
            yield Difference(section, left and left[1], right and right[1])


class _Page(HTMLParser):
    """What a page states, line by line, with the heading above each line; its footer apart.

    Parameters
    ----------
    text : str
        The whole file.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[tuple[str, str]] = []
        self.command = self.made_with = ""
        self._section, self._text, self._term = "", "", ""
        self._open: list[str] = []
        self._provenance = False
        body, mark, rest = text.partition('<dl class="provenance"')
        # The command's options are no secret of the footer: where the data came from may differ.
        self.body = re.sub(r"\s*<meta [^>]*periodkit:[^>]*>", "", body)
        self.feed(body)
        self._end_line("")
        self._provenance = bool(mark)
        self.feed(mark + rest)
        self.close()
        self._end_line("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINES:
            self._end_line(tag)
        if self._provenance and tag not in _FOOTER_TAGS:
            self.lines.append(("", f"<{tag}>"))
        if tag in ("td", "th"):
            self._text += " | "
        if tag == "img":
            self._end_line("img")
            self._text = dict(attrs).get("alt") or ""
            self._end_line("img")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _LINES:
            self._end_line(tag)
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self._text += data

    def _end_line(self, tag: str) -> None:
        text = " ".join(self._text.split()).strip("| ")
        self._text = ""
        if not text:
            return
        if self._provenance:
            if tag == "dt" and text in _TERMS:
                self._term = text
            elif tag == "footer":
                self.lines.append(("", re.sub(r" · periodkit \S+$", "", text)))
            elif tag == "dd" and self._term in _FREE_TERMS:
                if self._term == "To make it again":
                    self.command = self.command or text
                elif self._term == "Made with":
                    self.made_with = self.made_with or text
                self._term = ""
            else:
                self.lines.append((self._term, text))
            return
        if tag in ("h1", "h2"):
            self._section = text
        self.lines.append((self._section, text))
