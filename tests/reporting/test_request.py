"""What a report cannot be is refused before anything is read."""

import pytest

import periodkit as pk


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "0min"}, "target is '0min'; it takes a length of time above zero"),
        ({"target": "0.0000001s"}, "above zero"),
        ({"target": "-5min"}, "target is '-5min'"),
        (
            {"season": True, "start": "2025-01-02", "end": "2025-01-01"},
            r"start \(2025-01-02\) is after end \(2025-01-01\)",
        ),
        ({"start": "yesterday"}, "start is 'yesterday'"),
        ({"output": "x" * 300 + ".html"}, "cannot be written: File name too long"),
        ({"output": "x" * 245 + ".html"}, "cannot be written: File name too long"),  # so is that of the unfinished file
        ({"output": "x" * 300 + "/report.html"}, "cannot be written: File name too long"),
        ({"output": "re\0port.html"}, "cannot be written: embedded null"),
        ({"output": "report.txt"}, "a report is an HTML file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pk.PeriodkitError, match=said):
        pk.report(archive="nowhere", **options)
    assert not [*tmp_path.iterdir()]
