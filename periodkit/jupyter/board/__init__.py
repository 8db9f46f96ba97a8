"""A board of a running event that refreshes itself: when to ask, what came, how it is shown."""

from periodkit.jupyter.board.board import Board, live

__all__ = ["Board", "live"]
