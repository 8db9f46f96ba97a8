"""Writes the archive `older_archive`, with the version of periodkit that is on the path.

It was run with version 0.1.0, commit 6ea99a0: ``PYTHONPATH=CLONE python make_older.py older_archive``.
"""

import sys
from datetime import UTC, datetime

import periodkit as pk
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox


def at(day, minute):
    return f"2024-07-{day:02}T18:{minute:02}:00.000Z"


def action(period_id, number, **more):
    """One action; severity, score and seenTime are fields that version 0.1.0 does not know."""
    return {
        "periodId": period_id,
        "periodName": f"Match {period_id}",
        "periodActionId": number,
        "actionId": period_id * 100 + number,
        "classification": "Medical",
        "subClassification": None,
        "status": "closed",
        "createdTime": at(period_id, number),
        "assignedTime": at(period_id, number + 2),
        "doingTime": at(period_id, number + 5),
        "closedTime": at(period_id, number + 20),
        "createdByUserName": "Staff 1",
        "periodMarker": "Kick-off",
        "assignedUserNames": ["Staff 2"],
        "channel": "North",
        "formType": "incident",
        "latestChannel": "North",
        "aiDispatched": True,
        "notes": "as sent",
        "severity": "high",
        "score": number,
        "seenTime": at(period_id, number + 1),
        **more,
    }


def period(period_id, **more):
    """One period; venueName is a field that version 0.1.0 does not know."""
    return {
        "id": period_id,
        "name": f"Match {period_id}",
        "start_date": f"2024-07-{period_id:02}T17:00:00.000Z",
        "end_date": f"2024-07-{period_id:02}T21:00:00.000Z",
        "created_at": "2024-06-01T00:00:00.000Z",
        "updated_at": "2024-06-02T00:00:00.000Z",
        "markers": [{"name": "Kick-off", "timestamp": at(period_id, 0)}],
        "venueName": "Harbour Arena",
        **more,
    }


def records():
    """Periods, and actions by period, of which one is open."""
    actions = {i: [action(i, number) for number in (1, 2)] for i in (1, 2, 3)}
    actions[2][1] |= {"status": "open", "closedTime": None, "severity": None}
    return [period(i) for i in (1, 2, 3)], actions


CLOSED = {"status": "closed", "closedTime": "2024-07-21T10:00:00.000Z"}


def sync(archive, as_of, periods, actions, **options):
    """Sync from a sandbox that serves these records."""
    forms = {i: {i * 100 + 1: {"department": "Bar"}} for i in actions}
    with (
        Sandbox(DataSet(as_of, "by hand", periods, actions, forms)) as sandbox,
        pk.Client(sandbox.base_url, sandbox.token, progress=False) as client,
    ):
        return archive.sync(client, form_fields=["department"], **options)


def main(folder):
    archive = pk.Archive(folder)
    periods, actions = records()
    sync(archive, datetime(2024, 7, 20, tzinfo=UTC), periods, actions)
    archive.snapshot("July")
    actions[2][1] |= CLOSED
    sync(archive, datetime(2024, 7, 22, tzinfo=UTC), periods, actions)


if __name__ == "__main__":
    main(sys.argv[1])
