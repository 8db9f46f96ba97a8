"""The invented venue behind the synthetic season: its kinds of event, its work, its people, its calendar.

Everything here is made up; times of day are UTC. `season.py` draws from these tables and adds none of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ANOMALIES", "CALENDAR", "CHANNELS", "CLASSIFICATIONS", "CREATORS", "KINDS", "LOCATIONS", "PRIORITIES"]
__all__ += ["SKIPS_DOING", "Anomaly", "Classification", "Event", "Kind", "Peak", "Sub"]


@dataclass(frozen=True, slots=True)
class Sub:
    """A sub-classification: its share of its classification, and its stage times as a multiple of it."""

    name: str
    share: float
    slow: float = 1.0


@dataclass(frozen=True, slots=True)
class Classification:
    """A classification of actions.

    Parameters
    ----------
    name, form_type, channel : str
        What it is called, which form reports it and which channel it is first routed to.
    share : float
        Its share of all actions.
    dispatch, pickup, work : float
        Medians in seconds of created->assigned, assigned->doing and doing->closed in a quiet moment, without AI.
    ai : float
        Log-odds of AI dispatch, relative to other classifications; the easy ones have more.
    subs : tuple of Sub
        Its sub-classifications.
    """

    name: str
    form_type: str
    channel: str
    share: float
    dispatch: float
    pickup: float
    work: float
    ai: float
    subs: tuple[Sub, ...]


CLASSIFICATIONS = (
    Classification(
        "Guest Assistance", "Request", "Guest Services", 0.20, 40, 85, 240, 1.3,
        (Sub("Wayfinding", 0.45, 0.8), Sub("Accessibility Help", 0.25, 1.3), Sub("Lost Property", 0.30, 1.1)),
    ),
    Classification(
        "Cleaning", "Task", "Cleaning", 0.18, 55, 150, 420, 0.6,
        (Sub("Spill", 0.40, 0.8), Sub("Restroom", 0.35, 1.1), Sub("Litter", 0.25, 1.3)),
    ),
    Classification(
        "Concessions", "Request", "Concessions", 0.12, 45, 130, 480, 0.9,
        (Sub("Restock", 0.50), Sub("Queue", 0.25, 0.8), Sub("Till Fault", 0.25, 1.4)),
    ),
    Classification(
        "Ticketing", "Request", "Ticketing", 0.12, 35, 75, 200, 1.1,
        (Sub("Scan Fault", 0.50, 0.8), Sub("Seat Dispute", 0.30, 1.3), Sub("Duplicate Ticket", 0.20, 1.1)),
    ),
    Classification(
        "Security", "Incident", "Security", 0.13, 80, 210, 900, -1.0,
        (Sub("Disorder", 0.40, 1.2), Sub("Prohibited Item", 0.35, 0.8), Sub("Access Breach", 0.25)),
    ),
    Classification(
        "Medical", "Incident", "Medical", 0.08, 60, 200, 1100, -1.5,
        (Sub("Minor Injury", 0.55, 0.9), Sub("Illness", 0.35, 1.1), Sub("Collapse", 0.10, 1.2)),
    ),
    Classification(
        "Maintenance", "Task", "Facilities", 0.10, 150, 520, 1500, -0.8,
        (Sub("Plumbing", 0.35, 1.3), Sub("Lighting", 0.25), Sub("Door or Gate", 0.25, 0.8), Sub("Lift", 0.15, 1.5)),
    ),
    Classification(
        "Traffic", "Incident", "Parking", 0.07, 90, 260, 780, -0.4,
        (Sub("Blocked Lane", 0.50), Sub("Coach Bay", 0.30, 0.9), Sub("Taxi Rank", 0.20, 1.1)),
    ),
)  # fmt: skip

CHANNELS = {
    "Guest Services": "Guest Experience",
    "Cleaning": "Facilities",
    "Concessions": "Food and Beverage",
    "Ticketing": "Guest Experience",
    "Security": "Safety",
    "Medical": "Safety",
    "Facilities": "Facilities",
    "Parking": "Transport",
    "Stewarding": "Safety",
    "Control Room": "Safety",
}
"""Each channel and the department that runs it. The last two only receive re-routed actions."""

CREATORS = (*(f"Steward {n:02d}" for n in range(1, 41)), "Casey Example", "Robin Sample", "Control Desk A")
"""Who reports. The people who work on an action are named after its channel, such as 'Medical 03'."""

PRIORITIES = (("low", 0.25), ("normal", 0.60), ("high", 0.15))
LOCATIONS = tuple([f"Gate {c}" for c in "ABCDEF"] + [f"Block {n}" for n in range(101, 125)] + ["Concourse", "Car Park"])


@dataclass(frozen=True, slots=True)
class Peak:
    """A bell-shaped wave of arrivals: minutes from the event's start, its share, and its width."""

    minute: float
    share: float
    width: float


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: its length, its markers (name and minute), its waves of arrivals and its range of size.

    Arrivals outside the waves are spread evenly over `open_minutes` (start, end).
    """

    minutes: int
    markers: tuple[tuple[str, int], ...]
    peaks: tuple[Peak, ...]
    size: tuple[int, int]
    open_minutes: tuple[tuple[int, int], ...]


def _days(minute: int) -> tuple[int, ...]:
    return tuple(day * 1440 + minute for day in range(3))


KINDS = {
    "league": Kind(
        360,
        (("Doors", 60), ("Kick-off", 180), ("Half-time", 227), ("Second Half", 243), ("Full-time", 291)),
        (Peak(90, 0.12, 18), Peak(168, 0.22, 16), Peak(233, 0.20, 9), Peak(294, 0.16, 12)),
        (380, 900),
        ((0, 360),),
    ),
    "cup": Kind(
        390,
        (("Doors", 60), ("Kick-off", 180), ("Half-time", 227), ("Full-time", 291), ("Extra Time", 297), ("Final", 331)),
        (Peak(160, 0.28, 20), Peak(233, 0.18, 9), Peak(294, 0.12, 8), Peak(335, 0.12, 12)),
        (350, 700),
        ((0, 390),),
    ),
    "concert": Kind(
        420,
        (("Doors", 60), ("Support Act", 135), ("Headliner", 210), ("Curfew", 330)),
        (Peak(85, 0.24, 20), Peak(200, 0.26, 16), Peak(335, 0.20, 14)),
        (500, 1100),
        ((0, 420),),
    ),
    "festival": Kind(
        2 * 1440 + 780,
        tuple(
            (f"Day {day + 1} {name}", day * 1440 + minute)
            for day in range(3)
            for name, minute in (("Gates", 60), ("Main Stage", 240), ("Headliner", 600), ("Curfew", 720))
        ),
        (
            *(Peak(minute, 0.08, 30) for minute in _days(80)),
            *(Peak(minute, 0.10, 35) for minute in _days(590)),
            *(Peak(minute, 0.05, 20) for minute in _days(715)),
        ),
        (1440, 1490),
        tuple((start, start + 780) for start in _days(0)),
    ),
    "tour": Kind(300, (("Doors", 30),), (Peak(45, 0.30, 15),), (160, 200), ((0, 300),)),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the calendar: its kind, its name and its start as ISO text in UTC."""

    kind: str
    name: str
    start: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What was truly unusual at one event.

    Parameters
    ----------
    event : str
        The event's name.
    kind : {"short_of_people", "ai_failure", "surge", "never_closed"}
        Pickup takes `size` times as long; AI dispatches nothing; `size` times the expected actions of an ordinary event
        of the kind arrive on top; the share `size` is never closed.
    channel : str or None
        The channel that it befell; None: all.
    start, end : int
        Minutes from the event's start within which actions created are affected.
    size : float
        How much, see `kind`.
    """

    event: str
    kind: str
    channel: str | None
    start: int
    end: int
    size: float


def _match(opponent: str, start: str, kind: str = "league") -> Event:
    return Event(kind, f"Harbour Park v {opponent}", start)


CALENDAR = (
    Event("tour", "Harbour Park Open Day", "2024-08-03T10:00"),
    _match("Northfield Rovers", "2024-08-17T11:30"),
    _match("Easton Albion", "2024-08-31T12:00"),
    Event("concert", "The Placeholders Live", "2024-09-07T16:00"),
    _match("Westbrook Town", "2024-09-14T12:00"),
    _match("Millbridge United", "2024-09-25T16:45", "cup"),
    _match("Castleford Wanderers", "2024-10-05T12:00"),
    _match("Southgate City", "2024-10-19T12:00"),
    _match("Lakeside Athletic", "2024-11-02T12:00"),
    Event("concert", "Nova Sample: Winter Lights", "2024-11-16T16:00"),
    _match("Ashdown Rangers", "2024-11-23T12:00"),
    _match("Kingsmere", "2024-12-07T12:00"),
    _match("Redhill Forest", "2024-12-26T12:00"),
    _match("Oakvale Town", "2025-01-11T12:00", "cup"),
    _match("Stonebridge County", "2025-01-18T12:00"),
    _match("Harrow Vale", "2025-02-01T12:00"),
    _match("Bayview Athletic", "2025-02-15T12:00"),
    Event("concert", "Lorem and the Ipsums", "2025-02-22T16:00"),
    _match("Fernleigh", "2025-03-05T16:45", "cup"),
    _match("Marston Green", "2025-03-15T12:00"),
    _match("Thornbury City", "2025-03-29T12:00"),
    _match("Whitecliff Albion", "2025-04-12T12:00"),
    Event("concert", "DJ Example: Open Air", "2025-04-19T16:00"),
    Event("festival", "Harbour Sounds Festival", "2025-04-25T10:00"),
    _match("Riverside Wanderers", "2025-05-03T12:00"),
    _match("Old Quay", "2025-05-17T12:00"),
)
"""The season, oldest first. The last event is still running when the data are seen."""

ANOMALIES = (
    Anomaly("Harbour Park v Harrow Vale", "surge", "Medical", 222, 246, 1.5),
    Anomaly("Harbour Park v Marston Green", "ai_failure", None, 120, 240, 1.0),
    Anomaly("Harbour Park v Whitecliff Albion", "never_closed", "Parking", 0, 360, 1 / 3),
    Anomaly("Harbour Park v Riverside Wanderers", "short_of_people", "Security", 0, 360, 3.0),
)
"""Four events that were unusual; the last of them is the last event that has ended when the data are seen."""

SKIPS_DOING = (("Cleaning", 0.16), ("Concessions", 0.09), ("Parking", 0.05))
"""Channels whose people often close an action without having pressed "doing", and how often."""
