"""A sentence that shows itself in a notebook."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable
from typing import Any, ParamSpec, Self

from periodkit.errors import ArgumentError

__all__ = ["Answer", "answer"]

P = ParamSpec("P")


class Answer(str):
    """A sentence: a text that a notebook shows as one, where it is the last line of a cell.

    Parameters
    ----------
    text : str
        The sentence. It may hold values from the API, and is escaped as HTML.
    strong : bool
        Whether a notebook shows it in bold.

    Examples
    --------
    >>> said = Answer("Bar takes <longest>.")
    >>> print(said)
    Bar takes <longest>.
    >>> said._repr_html_()
    '<p><strong>Bar takes &lt;longest&gt;.</strong></p>'
    """

    __slots__ = ("_strong",)
    _strong: bool

    def __new__(cls, text: str, *, strong: bool = True) -> Self:
        """Return the sentence."""
        made = super().__new__(cls, text)
        made._strong = strong
        return made

    def _repr_html_(self) -> str:
        words = html.escape(self)
        return f"<p>{f'<strong>{words}</strong>' if self._strong else words}</p>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG002
        # IPython would show the text in quotes.
        printer.text(str(self))


def answer(sentence: Callable[P, str]) -> Callable[P, Answer]:
    """Return a function whose text is an `Answer`, and which names the column that another metric's frame lacks."""

    @functools.wraps(sentence)
    def said(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return Answer(sentence(*args, **kwargs))
        except KeyError as error:
            name, column = sentence.__name__, error.args[0]
            msg = (
                f"answers.{name} reads a column {column!r} that the frame does not have. Pass what the metric returns that "
                f"help(periodkit.answers.{name}) names."
            )
            raise ArgumentError(msg) from error

    return said
