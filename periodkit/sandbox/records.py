"""What the platform had recorded of the drawn actions at a moment, with the faults of real records."""

from __future__ import annotations

from typing import Any

import numpy as np

from periodkit.sandbox.simulation import DAY, MINUTE, STRATA, Bools, Drawn, Ints, Parameters, Uniform
from periodkit.sandbox.venue import CHANNELS, CREATORS, LOCATIONS, PRIORITIES

__all__ = ["period_record", "records"]


def _texts(moments: Ints) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(moments.astype("datetime64[ms]"), unit="ms").tolist()]


def _text(moment: int) -> str:
    return _texts(np.array([moment]))[0]


def period_record(one: Drawn, as_of: int) -> dict[str, Any]:
    """Return the period as ``GET /periods`` would answer it at `as_of`."""
    end = one.start + one.kind.minutes * MINUTE
    happened = [(name, one.start + minute * MINUTE) for name, minute in one.kind.markers]
    markers: Any = [{"name": name, "timestamp": _text(moment)} for name, moment in happened if moment <= as_of]
    return {
        "id": one.period_id,
        "name": one.event.name,
        "start_date": _text(one.start),
        "end_date": _text(end),
        "created_at": _text(one.start - 14 * DAY),
        "updated_at": _text(min(end + 30 * MINUTE, as_of)),
        # The API documents markers as one object; that is how a period with a single one has it here.
        "markers": markers[0] if len(one.kind.markers) == 1 else markers,
    }


def records(p: Parameters, one: Drawn, as_of: int, ids: Ints) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """Return the actions as the API would answer them at `as_of`, and the form values by action id."""
    rng, n = one.rng, len(ids)
    canceled = (one.canceled_at < one.done) & (one.canceled_at <= as_of)
    ended = canceled | (one.done <= as_of)
    last_seen = np.minimum(one.end, as_of)
    is_assigned = (one.assigned <= last_seen) & ~rng.below(p.skipped_assigned, n)
    skips = dict(p.skipped_doing_by_channel)
    share = np.array([skips.get(kind.channel, p.skipped_doing) for kind, _ in STRATA])[one.stratum]
    is_doing = (one.doing <= last_seen) & ~(ended & ~canceled & (rng.uniform(n) < share))
    timed = ended & ~(canceled & rng.below(p.cancel_untimed, n))
    assigned, doing, closed = _defects(p, one, is_assigned & is_doing & timed)

    canceled_word = "cancelled" if one.number % 6 == 5 else "canceled"
    status = np.select(
        [canceled, ended, is_doing, is_assigned], [canceled_word, "closed", "in_progress", "assigned"], "open"
    )
    channels = list(CHANNELS)
    first = np.array([channels.index(kind.channel) for kind, _ in STRATA])[one.stratum]
    shift = 1 + rng.integer(len(channels) - 1, n)
    latest = np.where(rng.below(p.rerouted, n), (first + shift) % len(channels), first)
    team = np.where(is_assigned, 1 + rng.choice([0.75, 0.2, 0.05], n), 0)
    member = rng.integer(30, n)
    creator = rng.integer(len(CREATORS), n)
    no_sub, ai_unknown = rng.below(p.no_sub, n), rng.below(p.ai_unknown, n)
    names = [None, *(name for name, _ in one.kind.markers)]
    marker = np.searchsorted([one.start + m * MINUTE for _, m in one.kind.markers], one.created, side="right")

    columns = {
        "periodId": [one.period_id] * n,
        "periodName": [one.event.name] * n,
        "periodActionId": range(1, n + 1),
        "actionId": ids.tolist(),
        "classification": [STRATA[i][0].name for i in one.stratum],
        "subClassification": [None if lost else STRATA[i][1].name for i, lost in zip(one.stratum, no_sub, strict=True)],
        "status": status.tolist(),
        "createdTime": _texts(one.created),
        "assignedTime": _where(is_assigned, assigned),
        "doingTime": _where(is_doing, doing),
        "closedTime": _where(timed, closed),
        "createdByUserName": [CREATORS[i] for i in creator],
        "periodMarker": [names[i] for i in marker],
        "assignedUserNames": [
            [f"{channels[c]} {(m + 11 * k) % 30 + 1:02d}" for k in range(size)]
            for c, m, size in zip(latest, member, team, strict=True)
        ],
        "channel": [channels[i] for i in first],
        "formType": [STRATA[i][0].form_type for i in one.stratum],
        "latestChannel": [channels[i] for i in latest],
        "aiDispatched": [None if lost else bool(ai) for ai, lost in zip(one.ai, ai_unknown, strict=True)],
    }
    forms = _forms(p, rng, ids, [channels[i] for i in first])
    count = int(np.searchsorted(one.created, as_of, side="right"))
    recorded = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)][:count]
    twice = np.flatnonzero(rng.below(p.duplicated, n)[:count])
    # A copy stands where the edge of a page would have put it: right behind the original.
    for row in reversed(twice.tolist()):
        recorded.insert(row + 1, dict(recorded[row]))
    return recorded, {key: forms[key] for key in ids[:count].tolist()}


def _defects(p: Parameters, one: Drawn, whole: Bools) -> tuple[Ints, Ints, Ints]:
    """Return assigned, doing and closed moments, a few of them in the wrong order."""
    n = len(whole)
    wrong = whole & one.rng.below(p.out_of_order, n)
    late = 5_000 + one.rng.integer(50_000, n)
    # Most often someone is at work before the desk assigns them; now and then a clock is wrong.
    clock = wrong & one.rng.below(0.3, n)
    assigned = np.where(wrong & ~clock, one.doing + late, one.assigned)
    closed = np.where(clock, one.created - late, one.end)
    return assigned, one.doing, closed


def _where(there: Bools, moments: Ints) -> list[str | None]:
    spelled = _texts(np.where(there, moments, 0))
    return [text if yes else None for text, yes in zip(spelled, there.tolist(), strict=True)]


def _forms(p: Parameters, rng: Uniform, ids: Ints, channels: list[str]) -> dict[int, dict[str, Any]]:
    n = len(ids)
    priority = rng.choice([share for _, share in PRIORITIES], n)
    location = rng.integer(len(LOCATIONS), n)
    no_priority, no_location = rng.below(p.no_priority, n), rng.below(p.no_location, n)
    forms: dict[int, dict[str, Any]] = {}
    for row, action_id in enumerate(ids.tolist()):
        values: dict[str, Any] = {"department": CHANNELS[channels[row]]}
        if not no_priority[row]:
            values["priority"] = PRIORITIES[priority[row]][0]
        if not no_location[row]:
            values["location"] = LOCATIONS[location[row]]
        forms[action_id] = values
    return forms
