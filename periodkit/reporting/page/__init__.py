"""Blocks of a report -> one HTML file, its stamp and its PDF."""

from periodkit.reporting.page.blocks import KeyFigure, held, render, show_plot, show_table
from periodkit.reporting.page.pdf import find_browser, to_pdf
from periodkit.reporting.page.stamp import MIME, Check, check_report, read_stamp, stamp_of

__all__ = [
    "MIME",
    "Check",
    "KeyFigure",
    "check_report",
    "find_browser",
    "held",
    "read_stamp",
    "render",
    "show_plot",
    "show_table",
    "stamp_of",
    "to_pdf",
]
