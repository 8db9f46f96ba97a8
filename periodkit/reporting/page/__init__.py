"""Blocks of a report -> one HTML file, its stamp and its PDF."""

from periodkit.reporting.page.blocks import Figure, held, joined, render, show_as, show_plot, show_sentence, show_table
from periodkit.reporting.page.pdf import find_browser, to_pdf
from periodkit.reporting.page.stamp import MIME, check_report, stamp_of

__all__ = [
    "MIME",
    "Figure",
    "check_report",
    "find_browser",
    "held",
    "joined",
    "render",
    "show_as",
    "show_plot",
    "show_sentence",
    "show_table",
    "stamp_of",
    "to_pdf",
]
