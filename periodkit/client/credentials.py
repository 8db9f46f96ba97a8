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

_QUOTES = "\"'`“”‘’"
# Where a message was cut, the beginning of a token may be left in front of one of these marks. Shorter beginnings tell
# nothing.
_CUT_MARKS = ("...", "'", "…")
_SHORTEST_REMAINDER = 4
# A shorter token may be a word that an address contains by chance.
_SHORTEST_IN_URL = 8
_ENDPOINT = re.compile(r"/(periods|periods/[0-9]+|periods/[^/]*/actions|openapi\.json)/*$")


class Secret(str):
    """A text that tracebacks and logs do not show: they print the `repr` of variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def hide(value: object) -> Secret | None:
    """Return a text as one that is not shown, or None for anything else. Never raises: its own variables show the text."""
    return Secret(value) if isinstance(value, str) else None


def not_texts(**settings: object) -> list[str]:
    """Return the names of the settings that are neither a text nor None."""
    return [name for name in settings if not isinstance(settings[name], str | None)]


def setting(value: Secret | None, argument: str, variable: str) -> Secret:
    """Return a setting from its argument, or else from the environment."""
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
        elif re.match(r"(authorization\b|bearer(\s|:|%20|$))", token, re.IGNORECASE):
            problem = "begins with the word Bearer (or Authorization). Pass it without the word Bearer."
        elif not token.isascii() or not token.isprintable() or " " in token:
            problem = "holds characters that no token has (a space, a line break?). Copy it again."
        if problem:
            msg = f"The token {problem}"
            raise ConfigError(msg)
        self._token = token
        # The ways in which a server or a library may repeat it: as it is, in JSON, and in an address.
        forms = {token, Secret(json.dumps(token)[1:-1]), Secret(quote(token, safe=""))}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header that carries the token, and keep requests from looking at a redirect."""
        request.headers["Authorization"] = Secret(f"Bearer {self._token}")
        request.register_hook("response", _hide_redirect)  # type: ignore[no-untyped-call]
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"

    def scrub(self, text: str) -> str:
        """Return `text` without the token, which a server may repeat, and without the part of it left by a cut."""
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
        """Return whether a part of an address contains the token."""
        # The token may itself hold what looks like an escape, or stand in JSON.
        texts = [text, unquote(text)]
        if len(self._token) < _SHORTEST_IN_URL:
            return any(self._token in re.split(r"[/?&=#;:@]", plain) for plain in texts)
        return any(form in plain for plain in texts for form in self._forms)


def _hide_redirect(response: requests.Response, **_: Any) -> None:  # noqa: ANN401
    # If requests finds this header, it parses it and reads the whole body, even when told not to follow redirects.
    # `response.raw` keeps the header for our own message.
    response.headers.pop("Location", None)


def checked_url(url: Secret, auth: BearerAuth, allow_insecure: bool) -> str:
    """Return a base URL that the token may be sent to, or raise a ConfigError that shows its host at most."""
    problem = _url_problem(url, auth, allow_insecure)
    if problem is not None:
        raise ConfigError(problem)
    return str(url).rstrip("/")


def is_loopback(url: str) -> bool:
    """Return whether a checked URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url_problem(url: Secret, auth: BearerAuth, allow_insecure: bool) -> str | None:
    """Return why a base URL is refused, if it is. Raises nothing: a traceback would show its variables."""
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
