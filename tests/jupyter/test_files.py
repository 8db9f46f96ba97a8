"""The curated notebooks: executed, compared with what is committed, run on other accounts, and given parameters."""

import base64
import io
import json
import re
from datetime import UTC, datetime

import nbformat
import numpy as np
import pytest
from PIL import Image

from periodkit.errors import PeriodkitError
from periodkit.jupyter import files as nb
from periodkit.jupyter.png import shrink
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

NOTEBOOKS = sorted(nb.notebooks_folder().glob("*.ipynb"))
# The report's own tests run it on other accounts.
READ = [path for path in NOTEBOOKS if not path.stem.startswith("04")]
TOLERANCE = 12.0
AS_OF = datetime(2025, 5, 17, 16, tzinfo=UTC)


def distance(picture, other):
    """Return the root mean squared difference of two base64 PNGs, 0 to 255; infinite if their sizes differ.

    Sizes may differ by 2 %: other versions of the font library give other margins.
    """
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), dtype=np.float64)
        for png in (picture, other)
    )
    height, width = (min(pair) for pair in zip(first.shape[:2], second.shape[:2], strict=True))
    if any(abs(a - b) > 0.02 * b for a, b in zip(first.shape[:2], second.shape[:2], strict=True)):
        return float("inf")
    return float(np.sqrt(np.mean((first[:height, :width] - second[:height, :width]) ** 2)))


def outputs(notebook):
    """Return what a reader sees, pictures apart, by cell."""
    return {
        cell["id"]: [
            {
                kind: value
                for kind, value in output.get("data", {"text": output.get("text")}).items()
                if kind != "image/png"
            }
            for output in cell.get("outputs", [])
        ]
        for cell in notebook.cells
    }


def pictures(notebook):
    """Return the pictures with their alt texts."""
    return [
        (output["data"]["image/png"], output["metadata"].get("image/png", {}).get("alt", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def check_silent(notebook):
    streams = [out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    assert not streams, f"a notebook shows tables and pictures, not {streams[0]}"


def words(notebook):
    """Return all that a notebook shows, without markup, and the words of its pictures."""
    shown = [str(value) for cell in outputs(notebook).values() for each in cell for value in each.values()]
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", " ".join(shown), flags=re.DOTALL)
    return " ".join(" ".join([text, *(alt for _, alt in pictures(notebook))]).split())


def test_there_are_seven_notebooks_in_order():
    names = [
        "quickstart",
        "cycle_times",
        "ai_dispatch",
        "after_action_report",
        "live_event",
        "your_data_quality",
        "season",
    ]
    assert [path.stem for path in NOTEBOOKS] == [f"{at:02d}_{name}" for at, name in enumerate(names, 1)]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_each_opens_with_its_question_and_ends_with_what_to_do(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown"
    assert re.match(r"# .*\?", cells[0].source)
    assert cells[-1].source.startswith("## What to do about it\n")
    assert path.stat().st_size < 160_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs a notebook on an account, by default the sandbox of its own.

    All have one kernel, since it imports for seconds, and none has the names of the others.
    """
    folder = tmp_path_factory.mktemp("kernel")
    with nb.kernel(folder, {"PYTHONWARNINGS": "default"}) as run_in_kernel:

        def run(notebook, base_url="", token=""):
            settings = {"ALO_BASE_URL": base_url, "ALO_API_TOKEN": token}
            notebook.cells.insert(
                0, nbformat.v4.new_code_cell(f"%reset -sf\nimport os\nos.environ.update({settings})\ndel os")
            )
            run_in_kernel(notebook)
            del notebook.cells[0]
            return notebook

        yield run


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_is_what_the_code_gives(path, run):
    committed = nbformat.read(path, as_version=4)
    executed = nb.as_committed(run(nb.open_notebook(path)))
    check_silent(executed)
    advice = f"{path.name} has drifted: run `make notebooks` and look at it"
    assert outputs(executed) == outputs(committed), advice
    ours, theirs = pictures(executed), pictures(committed)
    assert [alt for _, alt in ours] == [alt for _, alt in theirs], advice
    assert all(len(alt) > 40 for _, alt in ours)
    assert [distance(*pair) for pair in zip((one for one, _ in ours), (one for one, _ in theirs), strict=True)] == [
        pytest.approx(0, abs=TOLERANCE)
    ] * len(ours), advice
    for cell in committed.cells:
        assert set(cell.metadata) <= {"tags"}


def picture(change=lambda pixels: pixels):
    pixels = np.full((90, 160, 3), 255, dtype=np.uint8)
    pixels[20:60, 30:100] = (0, 114, 178)
    buffer = io.BytesIO()
    Image.fromarray(change(pixels)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def without_a_bar(pixels):
    pixels[20:60, 80:100] = 255
    return pixels


def test_pictures_are_told_apart_by_what_they_show():
    assert distance(picture(), picture()) == 0
    assert distance(picture(), picture(lambda pixels: pixels[:-1, :-2])) == 0
    assert distance(picture(), picture(without_a_bar)) > TOLERANCE
    assert distance(picture(), picture(lambda pixels: pixels[:80])) == float("inf")


def test_small_pictures_keep_a_colour_that_is_rare():
    def marked(pixels):
        # Many shades of everything else, as where edges are smoothed, and one mark of another colour.
        pixels[:, :, 1] = np.arange(160, dtype=np.uint8)
        pixels[40:44, 10:14] = (240, 228, 66)
        return pixels

    with Image.open(io.BytesIO(base64.b64decode(shrink(picture(marked))))) as image:
        kept = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(kept[40:44, 10:14] - (240, 228, 66)).max() < 8
    assert np.abs(kept[0, 0] - (255, 0, 255)).max() < 16


def test_small_pictures_look_the_same_every_time_and_say_nothing_of_what_made_them():
    noisy = picture(lambda pixels: pixels - np.arange(160, dtype=np.uint8)[None, :, None] // 16)
    assert shrink(noisy) == shrink(noisy)
    assert len(shrink(noisy)) <= len(noisy)
    assert distance(noisy, shrink(noisy)) < 3
    with Image.open(io.BytesIO(base64.b64decode(shrink(noisy)))) as image:
        assert image.info == {}


def on_account(run, data):
    """Run all the notebooks that people read on an account; return words and number of pictures."""
    cells = [
        nbformat.v4.new_code_cell(cell.source)
        for path in READ
        for cell in nb.open_notebook(path).cells
        if cell.cell_type == "code"
    ]
    with Sandbox(data) as sandbox:
        executed = run(nbformat.v4.new_notebook(cells=cells), sandbox.base_url, sandbox.token)
    notebook = nb.normalise(executed)
    check_silent(notebook)
    assert sandbox.token not in json.dumps(notebook)
    assert all(alt for _, alt in pictures(notebook))
    said = words(notebook)
    assert f"Data: the sandbox, serving {data.name}" in said
    assert not re.search(r"\bnan\b|\bNaT\b|<NA>|&lt;NA", said)
    return said, len(pictures(notebook))


def one_action(**changes):
    record = {
        "actionId": 7,
        "periodActionId": 1,
        "periodId": 1,
        "status": "doing",
        "classification": "Medical",
        "createdTime": "2025-05-17T15:55:00.000Z",
        "assignedTime": "2025-05-17T15:56:00.000Z",
    }
    return {**record, **changes}


PERIOD = {
    "id": 1,
    "name": "Rained off",
    "start_date": "2025-05-17T15:00:00.000Z",
    "end_date": "2025-05-17T18:00:00.000Z",
}

ACCOUNTS = {
    "no periods": ([], {}, ["No actions.", "There are no actions yet.", "Nothing is open.", "no actions to show"]),
    "an empty period": ([PERIOD], {1: []}, ["Rained off", "There are no actions yet.", "Nothing is open."]),
    "one open action, dispatch unknown, no markers": (
        [PERIOD],
        {1: [one_action(aiDispatched=None)]},
        [
            "1 period with 1 action, as of 2025-05-17 16:00 UTC",
            "The only action is open.",
            "`ai_dispatched` is not known for the only action.",
            "There is nothing to compare",
            "1 action is open, not past 20 min. 7 (Medical) will pass it in 15 min.",
        ],
    ),
    "one period without times, all closed": (
        [{"id": 1, "name": None}],
        {
            1: [
                one_action(actionId=at, closedTime=f"2025-05-17T15:{57 + at}:00.000Z", aiDispatched=at > 1)
                for at in range(3)
            ]
        },
        ["Half of 3 actions were closed", "AI dispatched 33.3 %", "Nothing is open."],
    ),
}


@pytest.mark.notebook
@pytest.mark.parametrize("name", ACCOUNTS)
def test_whatever_an_account_has_the_notebooks_say_something_useful(name, run):
    periods, actions, texts = ACCOUNTS[name]
    said, _ = on_account(run, DataSet(AS_OF, name, periods, actions))
    for text in texts:
        assert text in said


@pytest.mark.notebook
def test_the_notebooks_run_on_recorded_data_unchanged(recorded_path, run):
    said, count = on_account(run, DataSet.load(recorded_path))
    for text in ("5,239", "68.7 % (67.4–69.9)", "63.3 min (62.1–64.5)", "Medical Incident", "SFFD watch 2020-04-20"):
        assert text in said
    for text in ("19 are open", "Leads of the channels", "AI was given other work", "Next past 20 min"):
        assert text in said
    assert count == 15


@pytest.mark.notebook
def test_a_running_event_can_be_replayed(run):
    notebook = nb.open_notebook(nb.notebooks_folder() / "05_live_event.ipynb")
    at = next(at for at, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    moment = 'as_of, period_id, target = "2025-04-26T16:00Z", 4170, "30min"'
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(moment))
    said = words(nb.normalise(run(notebook)))
    assert "as of 16:00 on 26 Apr 2025" in said
    assert re.search(r"\d+ actions are open, \d+ of them past 30 min\. The next to pass it is \d+ \(", said)


@pytest.mark.notebook
def test_a_failing_cell_is_said_whatever_other_kernel_has_the_name(tmp_path, monkeypatch):
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "Other", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import periodkit as pk\npk.Client()")])
    with pytest.raises(PeriodkitError, match="ConfigError: No token"):
        nb.execute(notebook, tmp_path)


def test_of_a_widget_its_picture_is_kept():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "A bar"}
    outputs = [
        nbformat.v4.new_output("display_data", data=view),
        nbformat.v4.new_output(
            "display_data", data={**view, "image/png": "iVBOR"}, metadata={"image/png": {"alt": "words"}}
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("explorer", outputs=outputs)])
    (kept,) = nb.normalise(notebook).cells[0].outputs
    assert kept["data"] == {"image/png": "iVBOR"}
    assert kept["metadata"]["image/png"]["alt"] == "words"
