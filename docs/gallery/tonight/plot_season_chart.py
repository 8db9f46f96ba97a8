"""
Is it getting better?
=====================

P90 cycle time of each period of a season, with centre and limits.

Between the dashed limits a period differs from others by chance. They are set by the shaded periods and then held, so
that a change shows. ``measure`` is ``"p90"``, ``"p50"``, ``"on_time"``, ``"ai_rate"``, ``"reroute_rate"`` or
``"actions"``; ``by="channel"`` draws a small chart for each channel, and ``rebase="Cup final"`` takes limits anew
from that period, after a change that you know of.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    actions = client.actions(periods)

pk.plots.season_chart(actions, periods, "p90", target="45min", baseline=8)
