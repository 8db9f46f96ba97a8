"""
P50 and P90 by classification
=============================

How long actions took from created to closed, with intervals and with what was left out.

Open actions count as unfinished so far. NaT, shown as "not reached", means that too few have ended to say.
"""

import periodkit as pk

with pk.demo_client() as client:
    actions = client.actions(client.periods())

pk.format_table(pk.cycle_times(actions, by="classification"))
