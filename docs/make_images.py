"""Draw the pictures of the documentation from the synthetic season: ``python docs/make_images.py``."""

import shutil
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt

import periodkit as pk
from periodkit.jupyter.png import in_few_colours
from periodkit.sandbox.season import make_season

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from gallery_examples import examples, page

mpl.use("Agg")
IMAGES = Path(__file__).parent / "images"
MINUTE = pd.Timedelta(minutes=1)


def completed_only_bias(path: Path) -> pd.DataFrame:
    """Draw the median cycle time of a long event, estimated at each moment of it, against what came true."""
    season = make_season()
    with pk.demo_client() as client:
        periods = client.periods()
        long = periods["end_date"] - periods["start_date"] > pd.Timedelta("1D")
        days = [int(each) for each in periods.loc[~long, "period_id"][:-1]]
        event = periods.set_index("period_id").loc[max(days, key=lambda each: len(season.dataset.actions[each]))]
        actions = client.actions(int(event.name))
    truth = season.truth.actions
    cycle = truth.loc[truth["period_id"] == event.name, "cycle"]
    start = actions["created_time"].min()
    rows = []
    for minutes in range(30, 601, 10):
        as_of = start + minutes * MINUTE
        both = {m: pk.cycle_times(actions, as_of=as_of, method=m).iloc[0] for m in ("kaplan-meier", "observed")}
        rows.append(
            {
                "minutes": minutes,
                "open": both["observed"]["open"] / max(both["observed"]["n"], 1),
                **{
                    name: both[m][column] / MINUTE
                    for name, m, column in (
                        ("km", "kaplan-meier", "p50"),
                        ("low", "kaplan-meier", "p50_low"),
                        ("high", "kaplan-meier", "p50_high"),
                        ("observed", "observed", "p50"),
                    )
                },
            }
        )
    frame = pd.DataFrame(rows)
    true = cycle.median() / 60
    figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
    ax.fill_between(frame["minutes"], frame["low"], frame["high"], color="#0072B2", alpha=0.2, lw=0)
    ax.plot(frame["minutes"], frame["km"], color="#0072B2", lw=2)
    ax.plot(frame["minutes"], frame["observed"], color="#D55E00", lw=2, ls="--")
    ax.axhline(true, color="#333333", lw=1, ls=":")
    x = frame["minutes"].iloc[-1] + 4
    ends = (("Kaplan-Meier,\n95 % band", "km", "#0072B2", 14), ("completed only", "observed", "#D55E00", -24))
    for text, column, colour, shift in ends:
        ax.annotate(
            text, (x, frame[column].iloc[-1]), (0, shift), textcoords="offset points", color=colour, va="center"
        )
    ax.annotate("what came true", (x, true), (0, -10), textcoords="offset points", color="#333333", va="center")
    ax.set(xlabel="minutes since the first action of the event", ylabel="median cycle time (min)", xlim=(25, x + 110))
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("The median of what is closed is too low while the event runs", loc="left", weight="bold")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return frame


def plots(folder: Path) -> None:
    """Draw the picture of each plot by its example, and write the page that shows them."""
    for example in examples():
        exec(compile(example.path.read_text(encoding="utf-8"), str(example.path), "exec"), {})  # noqa: S102  (our own)
        (folder / f"{example.name}.png").write_bytes(in_few_colours(pk.plots.to_png(plt.gcf().axes[0], dpi=75)))
        plt.close("all")
    (folder.parent / "plots.md").write_text(page(), encoding="utf-8", newline="\n")


def report(path: Path) -> None:
    """Draw what a reader sees first of the report that `periodkit demo` writes."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (needs chromium as well)

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        made = pk.report(4173, f"{folder}/report.html", tz="Europe/London")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1000, "height": 505}, device_scale_factor=1.5)
        tab.goto(Path(made).resolve().as_uri())
        path.write_bytes(in_few_colours(tab.screenshot()))
        browser.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    print(completed_only_bias(IMAGES / "completed-only-bias.png").round(1).to_string(index=False))
    plots(IMAGES)
    report(IMAGES / "report.png")
