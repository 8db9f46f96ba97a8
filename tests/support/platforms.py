"""A small platform whose records a test can change, over HTTP or without."""

import copy
import email.utils
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

from servers import scripted

import periodkit as pk
from periodkit.client.arrivals import Arrivals
from periodkit.parse import parse_actions, parse_periods
from periodkit.parse.response import Answer

TOKEN = "s3cret-t0ken-of-mine"
NAME = "a platform"
NOW = datetime(2024, 7, 20, 6, 30, tzinfo=UTC)


def stamp(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_action(period_id, number, start, **fields):
    created = start + timedelta(minutes=number)
    return {
        "periodId": period_id,
        "periodName": f"Event {period_id}",
        "periodActionId": number,
        "actionId": period_id * 1000 + number,
        "classification": ["Medical", "Cleaning"][number % 2],
        "status": "closed",
        "createdTime": stamp(created),
        "assignedTime": stamp(created + timedelta(minutes=1)),
        "doingTime": None if number % 3 else stamp(created + timedelta(minutes=2)),
        "closedTime": stamp(created + timedelta(minutes=9)),
        "createdByUserName": "Ada Müller",
        "assignedUserNames": [["Bo"], [], ["Bo", 'Cy "the" Dee'], None][number % 4],
        "channel": "North",
        "latestChannel": "North",
        "aiDispatched": [True, False, None][number % 3],
        **fields,
    }


class Platform:
    """Periods and actions as the API would send them, and the requests that came."""

    def __init__(self, periods=3, actions=4, now=NOW, first=NOW - timedelta(days=19)):
        self.now = now
        self.periods, self.actions, self.failing, self.requests = [], {}, {}, []
        for i in range(periods):
            period_id, start = 7 + 5 * i, first + timedelta(hours=i)
            self.periods.append(
                {
                    "id": period_id,
                    "name": f"Event {period_id}",
                    "start_date": stamp(start),
                    "end_date": stamp(start + timedelta(hours=3)),
                    "created_at": stamp(start - timedelta(days=30)),
                    "updated_at": stamp(start - timedelta(days=1)),
                    "markers": [{"name": "Kick-off", "timestamp": stamp(start + timedelta(hours=1))}],
                }
            )
            self.actions[period_id] = [make_action(period_id, number, start) for number in range(1, actions + 1)]

    def copy(self):
        return copy.deepcopy(self)

    def ids(self):
        return [record["id"] for record in self.periods]

    def answer(self, path, headers=None):
        """Answer a request as the API would."""
        self.requests.append(path)
        # The sandbox's clock is that of its data, as this platform's is.
        date = {"Date": email.utils.format_datetime(self.now, usegmt=True), "X-Periodkit-Sandbox": NAME}
        parts = urlsplit(path)
        if parts.path == "/periods":
            bounds = {name: values[0] for name, values in parse_qs(parts.query).items()}
            listed = [
                record
                for record in self.periods
                if record["end_date"] is None
                or (
                    record["end_date"] >= bounds.get("start_date", "")
                    and record["start_date"] <= bounds.get("end_date", "9")
                )
            ]
            return 200, date, {"periods": listed}
        period_id = int(parts.path.split("/")[2])
        if period_id in self.failing:
            return self.failing[period_id], date, {"message": "It failed"}
        return 200, date, {"actions": self.actions[period_id]}

    @contextmanager
    def connected(self, **options):
        """Serve over HTTP; yields a client."""
        with scripted(self.answer) as (url, _), pk.Client(url, TOKEN, progress=False, **options) as client:
            yield client

    def client(self):
        """A stand-in for a client: the same frames, without HTTP."""
        return OfflineClient(self)

    def frames(self, form_fields=()):
        """Return what a client would return of all of it."""
        client = self.client()
        periods = client.periods()
        return periods, client.actions(periods, form_fields)


class OfflineClient:
    origin = f"sandbox: {NAME}"

    def __init__(self, platform):
        self.platform = platform

    def _get(self, path, period_id=None):
        status, _, body = self.platform.answer(path)
        if status != 200:
            raise pk.ServerError(status, body["message"])
        return Answer(json.dumps(body).encode(), self.platform.now, period_id)

    def periods(self, start=None, end=None):
        return parse_periods([self._get("/periods")])

    def actions(self, periods, form_fields=()):
        return parse_actions(
            [self._get(f"/periods/{i}/actions", i) for i in periods["period_id"]], list(form_fields or ())
        )

    def iter_actions(self, periods, form_fields=None):
        kept = {}

        def coming():
            for period_id in periods:
                try:
                    kept[period_id] = [self._get(f"/periods/{period_id}/actions", period_id)]
                except pk.PeriodkitError as error:
                    kept[period_id] = error
                yield period_id, kept[period_id]

        return Arrivals(coming(), kept, partial(parse_actions, form_fields=form_fields or ()))
