"""HTTP -> bytes -> frames: the client, its retries and its pacing. Knows no analysis."""

from periodkit.client.client import BASE_URL_VARIABLE, Client
from periodkit.client.retry import RetryPolicy
from periodkit.client.transport import TOKEN_VARIABLE

__all__ = [
    "BASE_URL_VARIABLE",
    "TOKEN_VARIABLE",
    "Client",
    "RetryPolicy",
]
