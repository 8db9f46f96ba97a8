"""A recorded answer of the whole API: what the sandbox serves, and how it is kept in a file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from periodkit.errors import ConfigError, SchemaError

__all__ = ["SYNTHETIC", "DataSet", "format_time", "parse_time"]

SYNTHETIC = "synthetic season"

_GZIP_MAGIC = b"\x1f\x8b"


def format_time(moment: datetime) -> str:
    """Return a moment in the API's form, UTC at whole milliseconds.

    Examples
    --------
    >>> format_time(datetime(2025, 5, 17, 15, 30, tzinfo=UTC))
    '2025-05-17T15:30:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: object) -> datetime:
    """Return the moment that an ISO 8601 text with ``Z`` or an offset names; ValueError for anything else."""
    if not isinstance(text, str):
        raise ValueError(f"not a time: {text!r}")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone: {text!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"out of range: {text!r}") from None


@dataclass(frozen=True)
class DataSet:
    """Periods and actions exactly as the API's JSON holds them, with the moment at which they stood like that.

    Parameters
    ----------
    as_of : datetime
        When the data were seen; the sandbox's ``Date`` header. UTC.
    source : str
        Where the data come from, for people.
    periods : list of dict
        Records of ``GET /periods`` (keys in snake_case), in the order served.
    actions : dict of int to list of dict
        Records of ``GET /periods/{id}/actions`` (keys in camelCase) by period id. A period may be absent: no actions.
    form_values : dict of int to dict of int to dict of str to value
        Values of form fields by period id, action id and field name; sent only when the caller asks for the field.
    file : str or None
        Name of the file that they were loaded from.

    Examples
    --------
    >>> data = DataSet(datetime(2025, 1, 1, tzinfo=UTC), "by hand", [{"id": 1, "name": "Match"}], {1: []})
    >>> data.period_ids
    [1]
    """

    as_of: datetime
    source: str
    periods: list[dict[str, Any]]
    actions: dict[int, list[dict[str, Any]]]
    form_values: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    file: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What the sandbox says that it serves: the file, the synthetic season, or else the source."""
        if self.file is not None:
            return self.file
        return SYNTHETIC if self.source.startswith(f"periodkit {SYNTHETIC}") else self.source

    @property
    def period_ids(self) -> list[int]:
        """Ids of the periods, in the order served."""
        return [period["id"] for period in self.periods]

    @classmethod
    def load(cls, path: str | Path) -> DataSet:
        """Read a data set from a JSON file, gzipped or not.

        Parameters
        ----------
        path : str or Path
            A file that holds ``{"as_of", "source", "periods", "actions": {"<period id>": [...]}}`` and, optionally,
            ``"form_values": {"<period id>": {"<action id>": {...}}}``.

        Returns
        -------
        DataSet
            The same data; ids that JSON keys hold as text are integers again.

        Raises
        ------
        ConfigError
            The file cannot be read at all.
        SchemaError
            It is not gzipped or plain JSON of that form; the message names the file, the record and the key.
        """
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"cannot read the data set {str(path)!r}: {reason}; give a recorded JSON file") from error
        try:
            text = gzip.decompress(raw) if raw.startswith(_GZIP_MAGIC) else raw
            body = json.loads(text)
        except (OSError, EOFError, zlib.error) as error:
            raise SchemaError(f"{path}: damaged or cut short ({error}); copy the file again") from error
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"{path}: not JSON ({error}); expected a recorded data set") from error
        try:
            return replace(cls._from_json(body), file=Path(path).name)
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from None

    @classmethod
    def _from_json(cls, body: object) -> DataSet:
        top = _object(body, "the file")
        missing = [key for key in ("as_of", "source", "periods", "actions") if key not in top]
        if missing:
            raise SchemaError(f"lacks {', '.join(missing)}; expected the keys as_of, source, periods and actions")
        try:
            as_of = parse_time(top["as_of"])
        except ValueError as error:
            raise SchemaError(f"as_of: {error}; expected for example '2025-05-17T15:30:00.000Z'") from None
        periods = _records(top["periods"], "periods")
        ids = [_period_id(period, f"periods[{index}]") for index, period in enumerate(periods)]
        repeated = next((one for one in ids if ids.count(one) > 1), None)
        if repeated is not None:
            raise SchemaError(f"periods: id {repeated} stands there more than once")
        actions = {
            _known_id(key, ids, "actions"): _records(value, f"actions[{key!r}]")
            for key, value in _object(top["actions"], "actions").items()
        }
        form_values = {
            _known_id(key, ids, "form_values"): {
                _integer(action, f"form_values[{key!r}]"): _object(values, f"form_values[{key!r}][{action!r}]")
                for action, values in _object(of_period, f"form_values[{key!r}]").items()
            }
            for key, of_period in _object(top.get("form_values", {}), "form_values").items()
        }
        return cls(as_of, str(top["source"]), periods, actions, form_values)

    def save(self, path: str | Path) -> None:
        """Write the data set as JSON, gzipped when the name ends in ``.gz``; the same data give the same bytes."""
        raw = self.to_json()
        # Without a fixed time in its header a gzip file differs from one second to the next.
        Path(path).write_bytes(gzip.compress(raw, 6, mtime=0) if str(path).endswith(".gz") else raw)

    def to_json(self) -> bytes:
        """Return the bytes that ``load`` reads."""
        body: dict[str, object] = {
            "as_of": format_time(self.as_of),
            "source": self.source,
            "periods": self.periods,
            "actions": {str(key): value for key, value in self.actions.items()},
        }
        if self.form_values:
            body["form_values"] = self.form_values
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SchemaError(f"{where} is {type(value).__name__}; expected a JSON object")
    return dict(value)


def _records(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise SchemaError(f"{where} is {type(value).__name__}; expected a JSON array")
    return [_object(record, f"{where}[{index}]") for index, record in enumerate(value)]


def _period_id(period: Mapping[str, Any], where: str) -> int:
    value = period.get("id")
    if isinstance(value, bool) or not isinstance(value, int):
        raise SchemaError(f"{where}: id is {value!r}; expected an integer")
    return value


def _integer(key: str, where: str) -> int:
    try:
        return int(key)
    except ValueError:
        raise SchemaError(f"{where}: key {key!r} is not an id; expected an integer") from None


def _known_id(key: str, ids: list[int], where: str) -> int:
    number = _integer(key, where)
    if number not in ids:
        raise SchemaError(f"{where}: period {number} is not among the periods; add its record or drop these")
    return number
