"""The sandbox starts quickly, stops cleanly, and says what is wrong when it cannot start."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from datetime import UTC, datetime

import pytest
import requests

from periodkit.errors import ConfigError
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

DATA = DataSet(datetime(2025, 1, 3, 11, 0, tzinfo=UTC), "by hand", [{"id": 1, "name": "One"}], {})


def test_a_port_that_is_taken():
    with Sandbox(DATA) as sandbox:
        with pytest.raises(ConfigError, match=f"port {sandbox.port}: Address already in use"):
            Sandbox(DATA, port=sandbox.port)
        assert requests.get(sandbox.base_url + "/openapi.json", timeout=10).status_code == 200


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist(port):
    with pytest.raises(ConfigError, match=f"port {port}"):
        Sandbox(DATA, port=port)


def test_closing_ends_thread_and_port_and_may_be_repeated():
    before = set(threading.enumerate())
    sandbox = Sandbox(DATA)
    session = requests.Session()
    session.get(sandbox.base_url + "/periods", timeout=10)
    assert "serving 1 periods" in repr(sandbox)
    sandbox.close()  # does not wait for the connection that the session keeps: the thread would be left over
    sandbox.close()
    assert set(threading.enumerate()) == before
    assert "closed" in repr(sandbox)
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.base_url + "/periods", timeout=10)
    with Sandbox(DATA, port=sandbox.port) as again:
        assert again.port == sandbox.port
    session.close()


def test_one_that_is_forgotten_stops_by_itself():
    before = set(threading.enumerate())
    sandbox = Sandbox(DATA)
    gone = weakref.ref(sandbox)
    del sandbox
    gc.collect()
    assert gone() is None
    assert set(threading.enumerate()) == before


def test_the_token_is_in_no_repr():
    with Sandbox(DATA, token="very-secret") as sandbox:
        assert "very-secret" not in repr(sandbox)


def test_serve_until_interrupted():
    """The blocking form, in a process of its own, ends quietly on Ctrl-C."""
    script = (
        "import os, signal, threading, urllib.request\n"
        "from periodkit.sandbox.server import serve\n"
        "def announce(url):\n"
        "    def visit():\n"
        "        print(urllib.request.urlopen(url + '/openapi.json').status, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    threading.Thread(target=visit).start()\n"
        "serve(announce=announce)\n"
        "print('over')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("200\nover\n", "", 0)


def test_without_the_extra_only_the_server_is_missing_and_says_what_to_install():
    script = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "import periodkit.sandbox.season, periodkit.sandbox.dataset\n"
        "print(sorted({'starlette', 'uvicorn.server'} & set(sys.modules)))\n"
        "from periodkit.errors import ConfigError\n"
        "try:\n"
        "    import periodkit.sandbox.server\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    loaded, message = done.stdout.splitlines()
    assert loaded == "[]"
    assert 'pip install "periodkit[sandbox]"' in message
