"""The explorer on the screen: its controls, and how an answer is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from periodkit._arguments import Zone
from periodkit.jupyter.explorer import choice as choices
from periodkit.jupyter.explorer import pictures, points, tables, widgets
from periodkit.jupyter.explorer.answer import DONE, Answer, key_figures
from periodkit.jupyter.explorer.choice import Choice, Option
from periodkit.jupyter.explorer.moments import Moments, moments_of
from periodkit.milestones import STAGES
from periodkit.wording import Target

__all__ = ["Panel"]

_LISTS = ("periods", "classification", "channel")
_VIEWS = [("all, by time", "cycle_scatter"), ("open, by age", "aging")]
_BEGUN = {"created_time": "created", "assigned_time": "assigned", "doing_time": "begun"}


class Panel:
    """Controls and what they show.

    Parameters
    ----------
    actions, periods : pandas.DataFrame
        As the explorer was given them.
    where : Zone
        The time zone of the times shown.
    """

    def __init__(self, actions: pd.DataFrame, periods: pd.DataFrame | None, where: Zone) -> None:
        import ipywidgets as w  # noqa: PLC0415  (the extra "lab")

        self._frames, self._zone = (actions, periods), where
        self._options: dict[str, list[Option]] = {
            "periods": choices.period_options(actions, periods),
            "classification": choices.options_of(actions, "classification"),
            "channel": choices.options_of(actions, "channel"),
        }
        self.controls: dict[str, Any] = {}
        lists = []
        for name in _LISTS:
            if len(self._options[name]) > 1:
                self.controls[name], shown = widgets.several(name.capitalize(), self._options[name])
                lists.append(shown)
        stages = [(name, name) for name in STAGES]
        self.controls["stage"] = widgets.single("Stage", stages, "cycle")
        if "ai_dispatched" in actions.columns:
            self.controls["ai"] = widgets.single("AI", [(name, name) for name in choices.AI_CHOICES], "all")
        groups = [("nothing", ""), *((option.text, option.value) for option in choices.group_options(actions))]
        self.controls["by"] = widgets.single("Group by", groups, "")
        self.controls["picture"] = widgets.single("Picture", _VIEWS, "cycle_scatter")
        singles = [self.controls[name] for name in ("stage", "ai", "by", "picture") if name in self.controls]
        self._moments = Moments()
        self.controls["as_of"] = w.IntSlider(0, 0, 0, readout=False, layout=w.Layout(width="auto", margin="0 2px"))
        self._moment, self._ticks, self._figures, self._said = (w.HTML() for _ in range(4))
        self._heads = [w.HTML(), w.HTML()]
        self._tables = [w.HTML(), w.HTML()]
        self._charts = [widgets.chart_widget() for _ in range(2)]
        self._code = widgets.code_widget()
        self._set_moments()
        self.page = widgets.page(
            widgets.row(*lists),
            widgets.row(*singles),
            self._moment,
            self.controls["as_of"],
            self._ticks,
            self._said,
            self._figures,
            widgets.row(*self._charts, grow=True),
            self._code,
            *(part for pair in zip(self._heads, self._tables, strict=True) for part in pair),
        )

    @property
    def choice(self) -> Choice:
        """What the controls say."""
        chosen = {
            name: tuple(self._options[name][at].value for at in self.controls[name].value)
            for name in _LISTS
            if name in self.controls
        }
        return Choice(
            **chosen,
            ai=self.controls["ai"].value if "ai" in self.controls else "all",
            stage=self.controls["stage"].value,
            as_of=self._moments.text(self.controls["as_of"].value),
            by=self.controls["by"].value or None,  # a value of None would be shown as a blank
        )

    @property
    def picture(self) -> str:
        """The function of `periodkit.plots` that draws what is shown."""
        return str(self.controls["picture"].value)

    def observe(self, ask: Callable[[], object]) -> None:
        """Call `ask` whenever a control changes."""
        if "periods" in self.controls:
            # First, so that the slider goes along the event chosen when the change is answered.
            self.controls["periods"].observe(lambda _: self._set_moments(), "value")
        self.controls["as_of"].observe(lambda _: self._set_moment(), "value")
        for control in self.controls.values():
            control.observe(lambda _: ask(), "value")

    def show(self, found: Answer, target: Target, code: str) -> None:
        """Show an answer."""
        tz, zone_name = self._zone
        stage, groups = found.choice.stage, points.groups_of(found)
        took = f"{stage} time"
        sent = points.scatter(found, groups, target, tz)
        if self.picture == "aging":
            aged = points.ages(found.frame, target, found.choice.as_of)
            first = pictures.aging_picture(aged, target, self._moment_text())
        else:
            labels = (_BEGUN[STAGES[stage].start], took)
            first = pictures.scatter_picture(sent, groups.names, groups.title, target, labels, zone_name)
        names = groups.names if groups.rows else [points.ALL]
        curves = points.curves(found, groups, sent.limits)
        second = pictures.curve_picture(curves, names, groups.title, target, sent.limits, (took, DONE[stage]))
        for widget, spec in zip(self._charts, (first, second), strict=True):
            widget.spec = spec
        self._figures.value = widgets.figures_html(key_figures(found, target))
        self._code.code = code
        self._said.value = ""
        by = tables.numbers(found)
        rows = tables.chosen(found, tz)
        for head, table, part in zip(self._heads, self._tables, (by, rows), strict=True):
            head.value = widgets.said_html(part.title)
            table.value = widgets.table_html(part.heads, part.rows, part.numbers)

    def say(self, text: str) -> None:
        """Show what went wrong."""
        self._said.value = widgets.said_html(text, wrong=True)

    def close(self) -> None:
        """Remove all widgets from the kernel."""
        widgets.close_all(self.page)

    def _set_moments(self) -> None:
        chosen: Sequence[Any] = self.choice.periods
        found = moments_of(*self._frames, chosen)
        if found == self._moments and self._moment.value:
            return
        slider = self.controls["as_of"]
        with slider.hold_trait_notifications():
            self._moments = found
            slider.max, slider.value = found.steps, found.steps
            slider.disabled = not found.steps
        self._ticks.value = widgets.ticks_html(found.ticks, found.steps)
        self._set_moment()

    def _set_moment(self) -> None:
        self._moment.value = widgets.said_html(f"As of: {self._moment_text()}")

    def _moment_text(self) -> str:
        moment = self._moments.at(self.controls["as_of"].value)
        return (
            "as fetched" if moment is None else f"{moment.tz_convert(self._zone[0]):%d %b %Y %H:%M} ({self._zone[1]})"
        )
