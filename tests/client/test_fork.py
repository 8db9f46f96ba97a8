"""A client that goes through a fork."""

import os
import subprocess
import sys

import pytest
from servers import scripted

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

FORK = """
import os, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what this is about
import requests
import periodkit as pk

def check(client, ids):
    for i in ids:
        assert client.actions(i)["action_id"].tolist() == [i * 10], i
    several = client.actions(ids)
    assert (several["action_id"] == several["period_id"] * 10).all()

session = requests.Session() if sys.argv[2] == "session" else None
client = pk.Client(sys.argv[1], "t0ken-of-mine", progress=False, workers=4, session=session)
check(client, range(1, 9))
children = []
for first in (1000, 2000, 3000):
    child = os.fork()
    if not child:
        try:
            check(client, range(first, first + 25))
            with client:
                pass
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(child)
check(client, range(100, 125))
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
check(client, range(300, 310))
print(codes)
"""

ITERATION = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import periodkit as pk
client = pk.Client(sys.argv[1], "t0ken-of-mine", progress=False, workers=2)
arrivals = client.iter_actions(range(1, 50))
next(arrivals)
child = os.fork()
if not child:
    try:
        list(arrivals)
    except pk.TransportError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(len(list(arrivals)))
"""


def echo(path, sent):
    number = int(path.split("/")[2])
    return 200, {}, {"actions": [{"actionId": number * 10, "status": "x" * (number % 7 * 1000)}]}


def run(script, *arguments):
    with scripted(echo) as (url, _):
        done = subprocess.run(
            [sys.executable, "-c", script, url, *arguments], capture_output=True, text=True, timeout=110, check=False
        )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["own", "session"])
def test_each_process_has_connections_of_its_own(kind):
    assert run(FORK, kind) == ["[0, 0, 0]"]


def test_an_iteration_is_not_continued_in_another_process():
    assert run(ITERATION) == ["This iteration began in another process. Begin it again in this one.", "48"]
