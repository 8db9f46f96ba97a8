"""periodkit: periods and actions of the ALO.ai venue platform as DataFrames, and what can be learned from them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from periodkit._version import __version__
from periodkit.client import Client, RetryPolicy
from periodkit.errors import (
    ApiError,
    ArchiveError,
    ArgumentError,
    AuthError,
    BadValueWarning,
    ConfigError,
    FetchInterrupted,
    InvalidRequestError,
    PartialResultError,
    PeriodkitError,
    PeriodNotFoundError,
    RateLimitError,
    SchemaError,
    ServerError,
    TransportError,
)
from periodkit.frames import latest_period, markers, pseudonymize
from periodkit.metrics import (
    ai_dispatch_rate,
    cycle_times,
    describe,
    marker_profile,
    on_time,
    open_actions,
    outcome_curve,
    outlook,
    quality,
    quality_advice,
    reroute_rate,
    routing_matrix,
    season,
    stage_quantiles,
    unusual,
    workload,
)
from periodkit.milestones import stage_times
from periodkit.reporting import report
from periodkit.sources import connect, demo_client, source
from periodkit.wording import format_table

if TYPE_CHECKING:
    from periodkit.archive import Archive, SyncResult

__all__ = [
    "ApiError",
    "Archive",
    "ArchiveError",
    "ArgumentError",
    "AuthError",
    "BadValueWarning",
    "Client",
    "ConfigError",
    "FetchInterrupted",
    "InvalidRequestError",
    "PartialResultError",
    "PeriodNotFoundError",
    "PeriodkitError",
    "RateLimitError",
    "RetryPolicy",
    "SchemaError",
    "ServerError",
    "SyncResult",
    "TransportError",
    "__version__",
    "ai_dispatch_rate",
    "connect",
    "cycle_times",
    "demo_client",
    "describe",
    "format_table",
    "latest_period",
    "marker_profile",
    "markers",
    "on_time",
    "open_actions",
    "outcome_curve",
    "outlook",
    "plots",
    "pseudonymize",
    "quality",
    "quality_advice",
    "report",
    "reroute_rate",
    "routing_matrix",
    "season",
    "source",
    "stage_quantiles",
    "stage_times",
    "unusual",
    "workload",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    # matplotlib is slow to import and only pictures need it.
    if name == "plots":
        return import_module("periodkit.plots")
    # The archive knows the client, the milestones and, once used, Delta Lake.
    if name in {"Archive", "SyncResult"}:
        return getattr(import_module("periodkit.archive"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
