"""What cannot be counted is refused, and the message names it."""

import pyarrow as pa
import pytest
from strategies import action, frame

import periodkit as pk
from periodkit.errors import ArgumentError, SchemaError
from periodkit.metrics.tally.count import count_stage


def test_what_cannot_be_counted_is_named():
    actions = frame([action(closed=1)])
    with pytest.raises(SchemaError, match="'zone'"):
        pk.cycle_times(actions, by="zone")
    with pytest.raises(ArgumentError, match="resolution is 'h'"):
        count_stage(actions, resolution="h")
    with pytest.raises(ArgumentError, match="stage is 'cycles'"):
        pk.cycle_times(actions, stage="cycles")
    with pytest.raises(ArgumentError, match="dict"):
        pk.cycle_times({"created_time": []})
    for look in (pk.open_actions, pk.stage_times):
        with pytest.raises(ArgumentError, match=r"is a Table\. Pass a pandas frame"):
            look(pa.table({"period_id": [1]}))
    with pytest.raises(ArgumentError, match="each column once"):
        pk.cycle_times(actions, by=["channel", "channel"])
    with pytest.raises(ArgumentError, match="added"):
        _ = count_stage(actions, by="channel") + count_stage(actions)
    with pytest.raises(ArgumentError, match="'lists'"):
        count_stage(actions.assign(lists=[["a"]]), by="lists")
