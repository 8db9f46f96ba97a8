"""
Was tonight unusual?
====================

Times, shares and numbers of actions tonight as dots, each against the range of an ordinary night.

A bar is where an ordinary night would lie, judged by the nights before; a dot is tonight. It is filled where it is
further off than chance explains, all comparisons considered. The most surprising stand first. Here it is the last
event that is over: one that is still running has had fewer actions than a whole one.
"""

import periodkit as pk

with pk.demo_client() as client:
    periods = client.periods()
    actions = client.actions(periods)

pk.plots.unusual_forest(actions, periods.iloc[:-1])
