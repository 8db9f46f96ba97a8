"""HTTP -> bytes -> frames: the client, its retries and its pacing. Knows no analysis."""

from periodkit._settings import BASE_URL_VARIABLE, TOKEN_VARIABLE
from periodkit.client.client import Client
from periodkit.client.retry import RetryPolicy

__all__ = [
    "BASE_URL_VARIABLE",
    "TOKEN_VARIABLE",
    "Client",
    "RetryPolicy",
]
