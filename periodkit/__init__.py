"""periodkit: periods and actions of the ALO.ai venue platform as DataFrames, and what can be learned from them."""

from importlib import import_module as _import
from typing import TYPE_CHECKING

from periodkit._version import __version__

if TYPE_CHECKING:
    from periodkit import plots
    from periodkit.archive import Archive, SyncResult
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
    from periodkit.excel import to_excel
    from periodkit.frames import add_clock, latest_period, markers, pseudonymize
    from periodkit.jupyter import explore, live
    from periodkit.metrics import (
        ai_dispatch_rate,
        ai_effect,
        ai_funnel,
        compare,
        cycle_times,
        describe,
        load,
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
        unusual_periods,
        workload,
    )
    from periodkit.milestones import stage_times
    from periodkit.reporting import report
    from periodkit.sources import connect, demo_client, source
    from periodkit.wording import format_table

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
    "add_clock",
    "ai_dispatch_rate",
    "ai_effect",
    "ai_funnel",
    "compare",
    "connect",
    "cycle_times",
    "demo_client",
    "describe",
    "explore",
    "format_table",
    "latest_period",
    "live",
    "load",
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
    "to_excel",
    "unusual",
    "unusual_periods",
    "workload",
]

# pandas takes longer to import than most commands take to answer, so each name loads its module when it is first used.
_HOMES = {
    "archive": ("Archive", "SyncResult"),
    "client": ("Client", "RetryPolicy"),
    "excel": ("to_excel",),
    "frames": ("add_clock", "latest_period", "markers", "pseudonymize"),
    "jupyter": ("explore", "live"),
    "metrics": (
        "ai_dispatch_rate",
        "ai_effect",
        "ai_funnel",
        "compare",
        "cycle_times",
        "describe",
        "load",
        "marker_profile",
        "on_time",
        "open_actions",
        "outcome_curve",
        "outlook",
        "quality",
        "quality_advice",
        "reroute_rate",
        "routing_matrix",
        "season",
        "stage_quantiles",
        "unusual",
        "unusual_periods",
        "workload",
    ),
    "milestones": ("stage_times",),
    "reporting": ("report",),
    "sources": ("connect", "demo_client", "source"),
    "wording": ("format_table",),
}


def __getattr__(name: str) -> object:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None and name in __all__:
        home = "plots" if name == "plots" else "errors"
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _import(f"{__name__}.{home}")
    value: object = module if name == home else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
