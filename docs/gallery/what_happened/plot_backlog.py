"""
How many were open, and how many too long?
==========================================

Actions open at each moment, and of these those past the target.

The blue height is how many actions were open, the orange one how many of them past the target. Orange that does not
come down is what somebody has to look at.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    tonight = client.actions(periods.tail(1))  # an event that is still running

pk.plots.backlog(tonight, periods, target="30min", tz="Europe/London")
