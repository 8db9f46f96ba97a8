"""JSON bytes of the API -> DataFrames. Knows no HTTP and reads no clock."""

from periodkit.parse.pages import PageInfo, page_info
from periodkit.parse.parser import ActionsParser, parse_actions, parse_periods
from periodkit.parse.response import Answer, OnBad
from periodkit.parse.values import as_texts, shown

__all__ = [
    "ActionsParser",
    "Answer",
    "OnBad",
    "PageInfo",
    "as_texts",
    "page_info",
    "parse_actions",
    "parse_periods",
    "shown",
]
