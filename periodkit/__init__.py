"""periodkit: periods and actions of the ALO.ai venue platform as DataFrames, and what can be learned from them."""

from periodkit._version import __version__
from periodkit.client import Client
from periodkit.demo import connect, demo_client
from periodkit.errors import (
    ApiError,
    ArchiveError,
    ArgumentError,
    AuthError,
    BadValueWarning,
    ConfigError,
    InvalidRequestError,
    PartialResultError,
    PeriodkitError,
    PeriodNotFoundError,
    RateLimitError,
    SchemaError,
    ServerError,
    TransportError,
)
from periodkit.parse import markers

__all__ = [
    "ApiError",
    "ArchiveError",
    "ArgumentError",
    "AuthError",
    "BadValueWarning",
    "Client",
    "ConfigError",
    "InvalidRequestError",
    "PartialResultError",
    "PeriodNotFoundError",
    "PeriodkitError",
    "RateLimitError",
    "SchemaError",
    "ServerError",
    "TransportError",
    "__version__",
    "connect",
    "demo_client",
    "markers",
]
