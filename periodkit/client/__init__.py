"""HTTP -> bytes -> frames: the client, its retries and its pacing. Knows no analysis."""

from periodkit.client.client import Client
from periodkit.client.pacing import Clock
from periodkit.client.retry import RetryPolicy
from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE

__all__ = [
    "BASE_URL_VARIABLE",
    "TOKEN_VARIABLE",
    "Client",
    "Clock",
    "RetryPolicy",
]
