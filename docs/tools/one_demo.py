"""The sandbox's season for many examples, which ask for it again and again: drawn, served and fetched once for all."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

import periodkit as pk
from periodkit._arguments import When
from periodkit.sandbox import Sandbox


class Remembering(pk.Client):
    """A client that asks for the same only once, whichever of them asks."""

    kept: dict[str, pd.DataFrame]

    def periods(self, start: When | None = None, end: When | None = None) -> pd.DataFrame:
        """Return what `pk.Client.periods` does."""
        return self._once(f"periods {start} {end}", lambda: super(Remembering, self).periods(start, end))

    def actions(self, periods: Any, form_fields: Iterable[str] | None = None) -> pd.DataFrame:  # noqa: ANN401
        """Return what `pk.Client.actions` does."""
        which = periods["period_id"].tolist() if isinstance(periods, pd.DataFrame) else periods
        return self._once(f"{which} {form_fields}", lambda: super(Remembering, self).actions(periods, form_fields))

    def _once(self, asked: str, fetch: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        if asked not in self.kept:
            self.kept[asked] = fetch()
        return self.kept[asked].copy()


@contextmanager
def one_demo() -> Iterator[Callable[[], pk.Client]]:
    """Yield what opens a client of the sandbox's season, as `pk.demo_client` does."""
    kept: dict[str, pd.DataFrame] = {}
    with Sandbox() as sandbox:

        def opened() -> pk.Client:
            client = Remembering(sandbox.base_url, sandbox.token, progress=False)
            client.kept = kept
            return client

        yield opened
