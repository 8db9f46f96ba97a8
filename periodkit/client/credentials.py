"""Where requests go and as whom: the base URL and the token, checked before they are used and shown nowhere."""

from __future__ import annotations

import json
import os
import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.util import parse_url

from periodkit.errors import ConfigError

_QUOTES = "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}" + (
    "\N{RIGHT SINGLE QUOTATION MARK}"
)
# What may be left of a token where a message was cut: shorter beginnings give nothing away.
_SHORTEST_REMAINDER = 4
_CUT_MARKS = ("...", "'", "…")
# A shorter token may well be a word that an address contains for reasons of its own.
_SHORTEST_IN_URL = 8
_ENDPOINT = re.compile(r"/(periods|periods/[0-9]+|periods/[^/]*/actions|openapi\.json)/*$")


class Secret(str):
    """A text that tracebacks and logs do not show: they print the `repr` of variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def hide(value: object) -> Secret | None:
    """Return a text that is not shown, or None for anything else; never raises, and so needs no care itself."""
    return Secret(value) if isinstance(value, str) else None


def not_texts(**settings: object) -> list[str]:
    """Return the names of the settings that are neither a text nor None."""
    return [name for name in settings if not isinstance(settings[name], str | None)]


def setting(value: Secret | None, argument: str, variable: str) -> Secret:
    """Return a setting from its argument or else from the environment."""
    found = Secret((value if value is not None else os.environ.get(variable, "")).strip())
    if not found:
        msg = (
            f"No {argument}: pass {argument}=... to Client, or set the environment variable {variable}. "
            "To try periodkit without an account, use periodkit.demo_client()."
        )
        raise ConfigError(msg)
    return found


class BearerAuth(AuthBase):
    """Puts the token on a request, and nowhere else.

    Parameters
    ----------
    token : Secret
        The token alone.

    Raises
    ------
    ConfigError
        It cannot be a token; the message says why and does not show it.
    """

    def __init__(self, token: Secret) -> None:
        problem = ""
        if token[0] in _QUOTES or token[-1] in _QUOTES:
            problem = "stands in quotation marks. Pass it without them."
        elif re.match(r"(authorization\b|bearer(\s|:|$))", token, re.IGNORECASE):
            problem = "begins with the word Bearer (or Authorization). Pass it without the word Bearer."
        elif not token.isascii() or not token.isprintable() or " " in token:
            problem = "holds characters that no token has (a space, a line break?). Copy it again."
        if problem:
            msg = f"The token {problem}"
            raise ConfigError(msg)
        self._token = token
        # As a text, in JSON, and in an address: whichever way a server or a library repeats it.
        self._forms = sorted({token, json.dumps(token)[1:-1], quote(token, safe="")}, key=len, reverse=True)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header that carries the token, and see to it that requests looks at no redirect."""
        request.headers["Authorization"] = Secret(f"Bearer {self._token}")
        request.register_hook("response", _hide_redirect)  # type: ignore[no-untyped-call]
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"

    def scrub(self, text: str) -> str:
        """Return `text` without the token, in case a server repeats it, and without what is left of it where it was cut."""
        for form in self._forms:
            text = text.replace(form, "***")
        for mark in _CUT_MARKS:
            pieces = text.split(mark)
            text = mark.join([*map(self._without_remainder, pieces[:-1]), pieces[-1]])
        return self._without_remainder(text)

    def _without_remainder(self, text: str) -> str:
        """Return `text` without a beginning of the token at its end."""
        for form in self._forms:
            for size in range(min(len(form) - 1, len(text)), _SHORTEST_REMAINDER - 1, -1):
                if text.endswith(form[:size]):
                    return f"{text[:-size]}***"
        return text

    def is_in(self, text: str) -> bool:
        """Tell whether a part of an address gives the token away."""
        plain = unquote(text)
        if len(self._token) < _SHORTEST_IN_URL:
            return self._token in re.split(r"[/?&=#;:@]", plain)
        return self._token in plain


def _hide_redirect(response: requests.Response, **_: Any) -> None:  # noqa: ANN401
    # Where it finds this header, requests parses it and reads the body to its end, even when told not to follow it.
    # `response.raw` keeps it for our own message.
    response.headers.pop("Location", None)


def checked_url(url: Secret, auth: BearerAuth, allow_insecure: bool) -> str:
    """Return a base URL that the token may be sent to, or raise a ConfigError, which shows no more of it than the host."""
    problem = _url_problem(url, auth, allow_insecure)
    if problem is not None:
        raise ConfigError(problem)
    return str(url).rstrip("/")


def is_loopback(url: str) -> bool:
    """Tell whether a checked URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url_problem(url: Secret, auth: BearerAuth, allow_insecure: bool) -> str | None:
    """Say why a base URL is refused; apart from `checked_url`, whose variables a traceback can show."""
    if auth.is_in(url):
        return (
            "The base URL holds the token, and addresses are shown and logged. Pass the token as token=... alone, and as "
            "base_url the address, which looks like https://api.example.com/v1."
        )
    odd = None
    try:
        parts = urlsplit(url)
        asked = parse_url(url).host
        host = parts.hostname
        if url[0] in _QUOTES:
            odd = "stands in quotation marks"
        elif parts.scheme not in ("http", "https"):
            odd = "does not begin with https://"
        elif "@" in parts.netloc:
            odd = "holds a user name or a password (@)"
        elif parts.query or parts.fragment:
            odd = "holds a query or a fragment (? or #)"
        # Two readers that differ on the host differ on where the token goes.
        elif not url.isprintable() or {" ", "\\"} & set(url) or not host or host != (asked or "").strip("[]"):
            odd = "has no host that can be read in one way only"
    except ValueError:
        odd = "cannot be read"
    if odd is not None:
        return f"The base URL {odd}; it should look like https://api.example.com/v1."
    if parts.scheme == "http" and not allow_insecure and not is_loopback(url):
        return (
            f"The base URL is plain http to {host}, which shows the token to anyone on the way, a proxy included. Use "
            "https, or pass allow_insecure=True if the network is yours."
        )
    if endpoint := _ENDPOINT.search(parts.path):
        return f"The base URL ends in {endpoint[0]}, which periodkit adds itself. Leave it off."
    return None
