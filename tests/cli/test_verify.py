"""`periodkit verify`: a report held against an archive, as a person meets it."""

import html
from datetime import timedelta

import pytest

import periodkit as pk
from periodkit import cli
from periodkit.reporting.material import collect
from periodkit.reporting.page.stamp import stamp_of, stamp_tags
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

pytest.importorskip("deltalake")


def synced(data, folder):
    archive = pk.Archive(folder)
    with Sandbox(data) as sandbox, pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        archive.sync(client, end="2024-09-10", refresh=True)
    return archive


@pytest.fixture
def kept(season, tmp_path):
    """An archive, and a report that was made from its snapshot."""
    archive = synced(season.dataset, tmp_path / "archive")
    archive.snapshot("autumn")
    tags = stamp_tags(stamp_of(collect(archive.at("autumn"), 4110), "t"), "autumn")
    head = "".join(f'<meta name="{name}" content="{html.escape(each)}">' for name, each in tags.items())
    (tmp_path / "report.html").write_text(f"<html><head>{head}</head><body></body></html>", encoding="utf-8")
    return archive, tmp_path / "report.html"


def verify(*arguments):
    cli.main(["verify", *map(str, arguments)])


def exit_code(*arguments):
    try:
        verify(*arguments)
    except SystemExit as left:
        return left.code
    return 0


def test_a_report_whose_records_are_there_is_the_same(kept, capsys):
    archive, path = kept
    assert exit_code(path, "--archive", archive.path, "--records-only") == 0
    out = capsys.readouterr().out
    assert out.startswith("Same: the snapshot 'autumn' holds what the report was made from (")
    assert "period 4110, and with the 3 it compares them with." in out


def test_other_records_are_named_and_exit_with_1(kept, capsys, season):
    archive, path = kept
    data = season.dataset
    first = data.actions[4110][0]
    changed = {**data.actions, 4110: [{**first, "channel": "Elsewhere"}, *data.actions[4110][1:]]}
    synced(DataSet(data.as_of, data.source, data.periods, changed), archive.path)
    verify(path, "--archive", archive.path, "--records-only")
    assert "Same: the snapshot" in capsys.readouterr().out, "the snapshot is as it was"
    archive.forget("autumn")
    archive.prune(keep=0)
    with pytest.raises(SystemExit) as left:
        verify(path, "--archive", archive.path)
    assert left.value.code == 1
    err = capsys.readouterr().err
    assert "Differs: the archive's present state has other records in period 4110." in err
    assert "'autumn' that the report names is not there any more" in err


def test_the_archive_alone_is_checked_without_a_report(kept, capsys):
    archive, _ = kept
    verify("--archive", archive.path)
    verify("--archive", archive.path, "--snapshot", "autumn")
    assert capsys.readouterr().out.count("Intact: ") == 2


def test_the_way_out_names_the_archive(kept, capsys):
    archive, _ = kept
    archive.files()[0].unlink()
    with pytest.raises(SystemExit) as left:
        verify("--archive", archive.path)
    assert left.value.code == 1
    assert f"To fetch them again: periodkit sync --archive {archive.path} --period " in capsys.readouterr().out


@pytest.mark.parametrize("name", ["archive", "report"])
def test_what_is_not_there_is_told(kept, capsys, tmp_path, name):
    archive, path = kept
    with pytest.raises(SystemExit) as left:
        verify(
            *(
                [path, "--archive", tmp_path / "no"]
                if name == "archive"
                else [tmp_path / "no.html", "--archive", archive.path]
            )
        )
    assert left.value.code == 1
    assert str(tmp_path / "no") in capsys.readouterr().err


def test_the_same_values_fetched_again_are_told_apart(kept, capsys, season):
    archive, path = kept
    synced(season.dataset, archive.path)
    archive.forget("autumn")
    later = DataSet(
        season.dataset.as_of + timedelta(days=1), season.dataset.source, season.dataset.periods, season.dataset.actions
    )
    synced(later, archive.path)
    assert exit_code(path, "--archive", archive.path) == 3
    out = capsys.readouterr().out
    assert out.startswith("Same values, fetched at another moment: the archive's present state has all values")
    assert "Not checked: the page's numbers" in out
    assert exit_code(path, "--archive", archive.path, "--records-only") == 0


def test_a_page_that_does_not_say_how_it_was_made_is_not_passed_over(kept, capsys):
    archive, path = kept
    assert exit_code(path, "--archive", archive.path) == 3
    assert "Not checked: the page's numbers. It does not say which command made it." in capsys.readouterr().out
    assert exit_code(path, "--archive", archive.path, "--records-only") == 0
    assert "Not checked" not in capsys.readouterr().out
