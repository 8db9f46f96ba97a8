"""Links of a built site that lead nowhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
_ANCHOR = re.compile(r'\s(?:id|name)="([^"]*)"')


def broken_links(site: Path) -> Iterator[tuple[str, str]]:
    """Yield each page of a site with a link, script, style or picture that is not in the site."""
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    pages = {name: (site / name).read_text(encoding="utf-8") for name in files if name.endswith(".html")}
    pages = {name: text for name, text in pages.items() if not name.startswith("_static/")}
    anchors = {name: {"", *_ANCHOR.findall(text)} for name, text in pages.items()}
    for name, text in sorted(pages.items()):
        for link in sorted(set(_LINK.findall(text))):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path))) if parts.path else name  # noqa: PTH118, PTH120
            if target not in files or unquote(parts.fragment) not in anchors.get(target, {unquote(parts.fragment)}):
                yield name, link
