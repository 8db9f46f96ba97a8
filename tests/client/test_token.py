"""The token is in nothing that can be shown: messages, tracebacks with their variables, logs, addresses."""

import copy
import http.client
import json
import pickle
import traceback

import pytest
import requests
from servers import RESET, Canned, head, raw

import periodkit as pk

TOKEN = "s3cret-t0ken-of-mine"


def connect(url, **options):
    return pk.Client(url, TOKEN, **{"progress": False, "retry": None} | options)


def everything_told(error):
    """All texts that a traceback of `error`, or of what stands behind it, could show."""
    chain = [error]
    for each in chain:
        chain += [other for other in (each.__cause__, each.__context__) if other is not None and other not in chain]
    shown = []
    for each in chain:
        shown += [repr(each), str(each), repr(each.args), repr(vars(each))]
        trace = each.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:  # what the test knows is no leak
            trace = trace.tb_next
        shown += traceback.TracebackException(type(each), each, trace, capture_locals=True).format()
    return "\n".join(shown)


@pytest.mark.parametrize(
    "answer",
    [
        lambda path: [head(b"", "401 Who"), b""],
        lambda path: [head(TOKEN.encode(), f"500 no {TOKEN}"), TOKEN.encode()],
        lambda path: [head(b'{"message": "%s"}' % TOKEN.encode(), "400 Bad"), b'{"message": "%s"}' % TOKEN.encode()],
        lambda path: [head(b"", "302 There", Location=f"https://elsewhere.example/?t={TOKEN}"), b""],
        lambda path: [f"{TOKEN} is no HTTP\r\n\r\n".encode()],
        lambda path: [head(b"{}", Content_Length="50"), b"{}"],
        lambda path: [RESET],
        lambda path: [3.0],
    ],
)
def test_no_error_and_no_log_shows_the_token(answer, caplog, capfd, monkeypatch):
    caplog.set_level("DEBUG")
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with raw(answer) as (url, seen):
        client = connect(url, timeout=(1, 0.2), retry=pk.RetryPolicy(attempts=2, backoff=0))
        with client, pytest.raises(pk.PeriodkitError) as one:
            client.actions(7)
        with client, pytest.raises(pk.PeriodkitError) as several:
            client.actions([7, 8])
        said = everything_told(one.value) + everything_told(several.value)
        said += "".join(everything_told(each) for each in getattr(several.value, "failed", {}).values())
    assert all(f"Authorization: Bearer {TOKEN}" in each for each in seen)
    assert TOKEN not in said
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())
    assert "HTTP connection" in caplog.text, "nothing was logged, so nothing was tested"
    assert TOKEN not in repr(client) + repr(vars(client)) + repr(vars(client._fetch)) + repr(
        vars(client._fetch.transport)
    )
    assert TOKEN.encode() not in pickle.dumps(one.value) + pickle.dumps(several.value)


def test_a_client_is_not_written_down_with_its_token():
    with connect("http://127.0.0.1:1") as client:
        for write in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError) as caught:
                write(client)
            assert TOKEN not in everything_told(caught.value)


def test_a_client_that_cannot_be_made_does_not_show_the_token():
    with pytest.raises(pk.ConfigError) as caught:
        pk.Client("nowhere", TOKEN)
    assert TOKEN not in everything_told(caught.value)


# Arguments that are refused


def assert_hidden(error, *secrets):
    said = everything_told(error)
    for secret in secrets:
        assert secret not in said


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (f"Bearer {TOKEN}", "without the word Bearer"),
        (f"bearer:{TOKEN}", "without the word Bearer"),
        (f"Bearer%20{TOKEN}", "without the word Bearer"),
        (f"Authorization: Bearer {TOKEN}", "without the word Bearer"),
        (f'"{TOKEN}"', "in quotation marks. Pass it without them"),
        (f"'{TOKEN}", "in quotation marks"),
        (f"\N{LEFT DOUBLE QUOTATION MARK}{TOKEN}\N{RIGHT DOUBLE QUOTATION MARK}", "in quotation marks"),
        (f"{TOKEN} {TOKEN}", "no token has"),
        (f"{TOKEN}\nX", "no token has"),
        (f"{TOKEN}\N{ZERO WIDTH SPACE}", "no token has"),
    ],
)
@pytest.mark.parametrize("way", ["argument", "environment", "connect"])
def test_a_token_that_cannot_be_one_is_told_and_not_shown(token, said, way, monkeypatch):
    make = pk.connect if way == "connect" else pk.Client
    options = {"base_url": "https://api.example.com"}
    if way == "environment":
        monkeypatch.setenv("ALO_API_TOKEN", token)
    else:
        options["token"] = token
    with pytest.raises(pk.ConfigError, match=said) as caught:
        make(**options)
    assert_hidden(caught.value, TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        TOKEN,
        f"https://{TOKEN}",
        f"https://api.example.com/{TOKEN}/v1",
        f"https://api.example.com?token={TOKEN}",
        f"https://me:{TOKEN}@api.example.com",
        "https://api.example.com/s3cret%2Dt0ken-of-mine",
        f"http://[{TOKEN}",
    ],
)
def test_an_address_that_holds_the_token_is_refused_and_not_shown(url):
    for make in (pk.Client, pk.connect):
        with pytest.raises(pk.ConfigError, match=r"The base URL holds the token.*as token=") as caught:
            make(base_url=url, token=TOKEN)
        assert_hidden(caught.value, TOKEN, "s3cret%2D")


def test_a_token_that_is_given_as_the_address_alone_is_not_shown(monkeypatch):
    """Nothing tells that it is one."""
    for options in ({}, {"token": "another-token-of-mine"}):
        with pytest.raises(pk.ConfigError) as caught:
            pk.Client(TOKEN, **options)
        assert_hidden(caught.value, TOKEN, "another-token")
    monkeypatch.setenv("ALO_API_TOKEN", "another-token-of-mine")
    monkeypatch.setenv("ALO_BASE_URL", TOKEN)
    with pytest.raises(pk.ConfigError, match="does not begin with https://") as caught:
        pk.Client()
    assert_hidden(caught.value, TOKEN, "another-token")


@pytest.mark.parametrize("token", [TOKEN.encode(), [TOKEN], {"token": TOKEN}])
def test_a_token_that_is_no_text_is_not_shown(token):
    for make in (pk.Client, pk.connect):
        with pytest.raises(pk.ConfigError, match="token is not a text") as caught:
            make(base_url="https://api.example.com", token=token)
        assert_hidden(caught.value, TOKEN)
    with pytest.raises(pk.ConfigError, match="base_url is not a text") as caught:
        pk.Client(token, TOKEN)
    assert_hidden(caught.value, TOKEN)


def test_later_arguments_are_refused_without_showing_the_token():
    for options in ({"workers": 0}, {"max_body_bytes": -1}, {"session": requests.Session(), "transport": Canned({})}):
        with pytest.raises(pk.ConfigError) as caught:
            pk.connect(base_url="https://api.example.com", token=TOKEN, **options)
        assert_hidden(caught.value, TOKEN)


def test_the_sandbox_takes_no_token_of_an_account():
    with pytest.raises(pk.ConfigError, match="For your account, use Client") as caught:
        pk.demo_client(token=TOKEN)
    assert_hidden(caught.value, TOKEN)


def test_no_request_is_sent_whose_address_holds_the_token():
    transport = Canned({"actions": []})
    with connect("https://api.example.com", transport=transport) as client:
        for fields in ([TOKEN], ["department", f"x{TOKEN}"], [TOKEN.replace("-", "%2D")]):
            with pytest.raises(pk.InvalidRequestError, match="holds the token"):
                client.actions(7, form_fields=fields)
        assert client.actions(7, form_fields=["s3cret"]).empty
    assert len(transport.seen) == 1


@pytest.mark.parametrize("token", ["tok%2Den%2Fof-mine", 'tok"en\\of-mine'])
def test_a_token_that_looks_escaped_in_an_address_is_found_there_too(token):
    with pytest.raises(pk.ConfigError, match="holds the token"):
        pk.Client(f"https://api.example.com/{token}", token)
    transport = Canned({"actions": []})
    with pk.Client("https://api.example.com", token, transport=transport) as client:
        with pytest.raises(pk.InvalidRequestError, match="holds the token"):
            client.actions(7, form_fields=[token])
    assert not transport.seen


# What a server repeats


@pytest.mark.parametrize(
    "body",
    [
        TOKEN.encode(),
        b"<p>" + b"x" * 30 + TOKEN.encode(),
        json.dumps(TOKEN).encode(),
        json.dumps({"actions": TOKEN}).encode(),
        json.dumps({"actions": ["y" * 50 + TOKEN]}).encode(),
        json.dumps({"actions": [{"actionId": "z" * 45 + TOKEN}]}).encode(),
        json.dumps({"actions": [{"actionId": 1, "createdTime": TOKEN}]}).encode(),
        json.dumps({"actions": [{"actionId": 1, "periodId": 7, "createdTime": "a" * 48 + TOKEN}]}).encode(),
        b'{"actions": [{"actionId": "zzz\\u0073' + TOKEN[1:].encode() + b'"}]}',
        json.dumps({"actions": [], "total_pages": TOKEN}).encode(),
        json.dumps({"actions": [{TOKEN: 1}], TOKEN: 2}).replace('"actions"', json.dumps(TOKEN)).encode(),
    ],
)
def test_an_answer_that_repeats_the_token_is_refused_without_showing_it(body):
    with connect("https://api.example.com", transport=Canned(body)) as client:
        with pytest.raises(pk.SchemaError) as one:
            client.actions(7)
        with pytest.raises(pk.PartialResultError) as several:
            client.actions([7, 8])
        arrived = [error for _, error in client.iter_actions([7, 8])]
        for error in (one.value, several.value, *several.value.failed.values(), *arrived):
            assert_hidden(error, TOKEN, TOKEN[:6])


@pytest.mark.parametrize("before", range(270, 305, 5))
def test_a_message_is_cut_after_the_token_was_taken_out(before):
    body = {"message": "x" * before + TOKEN + "y" * 100}
    with connect("https://api.example.com", transport=Canned(body, status=500)) as client:
        with pytest.raises(pk.ServerError) as caught:
            client.periods()
    assert "x" * 270 in str(caught.value)
    assert_hidden(caught.value, TOKEN, TOKEN[:4])


def test_a_token_is_taken_out_however_it_is_spelled():
    token = 'a"b/c+d=e\\f'
    for said in (token, json.dumps(token), "a%22b%2Fc%2Bd%3De%5Cf"):
        with pk.Client(
            "https://api.example.com", token, retry=None, transport=Canned({"message": said}, 500)
        ) as client:
            with pytest.raises(pk.ServerError) as caught:
                client.periods()
        assert str(caught.value).startswith(("/periods: ***", '/periods: "***"'))


def test_control_characters_of_a_server_are_shown_and_not_obeyed():
    body = {"message": "no\x1b[2Jthing\r\nhere\u202e"}
    with connect("https://api.example.com", transport=Canned(body, 400)) as client:
        with pytest.raises(pk.InvalidRequestError) as caught:
            client.periods()
    assert str(caught.value).startswith(r"/periods: no\x1b[2Jthing here\u202e (HTTP 400)")


# What stops a request


class Stopped(BaseException):
    """Neither an error nor an interrupt."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Stopped, ZeroDivisionError, requests.ConnectionError, OSError])
def test_no_frame_below_a_request_is_shown(kind):
    """Those of the libraries hold the header with the token."""

    def stop(request):
        written = str(request.headers["Authorization"])
        raise kind(written)

    with connect("https://api.example.com", transport=Canned(stop)) as client:
        for call in (lambda: client.actions(7), client.periods):
            with pytest.raises((kind, pk.TransportError)) as caught:
                call()
            if isinstance(caught.value, pk.TransportError):
                assert_hidden(caught.value, TOKEN)
            else:  # what was raised is its author's own; where it was raised is not shown
                said = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
                assert "written = " not in said
