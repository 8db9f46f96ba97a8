"""A page of each public name, and the table that lists them: from ``__all__``, so that no list is kept by hand."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import NamedTuple

import periodkit as pk

MODULES = {
    "periodkit": "What `import periodkit as pk` gives",
    "periodkit.plots": "Plots",
    "periodkit.answers": "Sentences: what a table says",
    "periodkit.metrics.estimate": "Estimators: counts in, estimates out",
    "periodkit.metrics.tally": "Counting: frames in, counts out",
}
GROUPS = {
    "Fetch": ("client", "sources", "frames"),
    "Keep": ("archive",),
    "Measure": ("milestones", "metrics"),
    "Show": ("wording", "excel", "reporting", "plots"),  # and whatever is in no other
    "What can go wrong": ("errors",),
}


class Name(NamedTuple):
    """A public name: the module that offers it, and the one that its page belongs to."""

    module: str
    name: str
    home: str
    what: object

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"{self.home}.{self.name}"

    @property
    def title(self) -> str:
        """What it is called where there is little room: with the last part of its module, unless that is periodkit."""
        return ".".join([*self.home.split(".")[1:][-1:], self.name])

    @property
    def says(self) -> str:
        """The first sentence of its documentation."""
        if not callable(self.what) or not hasattr(self.what, "__module__"):
            return constant_text(self)
        return (inspect.getdoc(self.what) or "").split("\n\n")[0].replace("\n", " ")


def public_names() -> list[Name]:
    """Every public name, in the order of its module; one that two modules offer belongs to the first."""
    names: list[Name] = []
    homes: dict[int, Name] = {}
    for module in MODULES:
        face = importlib.import_module(module)
        for name in face.__all__:
            what = getattr(face, name)
            first = homes.get(id(what)) if documented(what) else None
            if first is not None and first.name == name:
                names.append(Name(module, name, first.home, what))
                continue
            names.append(Name(module, name, module, what))
            homes.setdefault(id(what), names[-1])
    return [each for each in names if each.name not in ("__version__", "plots")]


def documented(what: object) -> bool:
    """Whether it has a docstring of its own."""
    return inspect.isclass(what) or inspect.isfunction(what)


def constant_text(name: Name) -> str:
    """Return the string that stands below a constant in the module where it is defined."""
    module = name.module
    while True:
        tree = ast.parse(Path(inspect.getfile(importlib.import_module(module))).read_text(encoding="utf-8"))
        for at, node in enumerate(tree.body):
            if isinstance(node, ast.ImportFrom) and any(alias.name == name.name for alias in node.names):
                module = str(node.module)
                break
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == name.name for target in targets):
                after = tree.body[at + 1]
                text = (
                    after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
                )
                return str(text).replace("\n", " ")
        else:
            return ""


def write_reference(folder: Path) -> None:
    """Write a page of each name, `index.rst`, and `names.md` for the start page."""
    folder.mkdir(exist_ok=True)
    names = public_names()
    for each in names:
        if each.home == each.module:
            (folder / f"{each.page}.rst").write_text(_page(each), encoding="utf-8")
    sections = []
    for module, title in MODULES.items():
        own = [each for each in names if each.module == module]
        if module == "periodkit":
            homes = {name: home for home, listed in pk._HOMES.items() for name in listed}
            groups = {
                group: [each for each in own if _group(homes.get(each.name, "errors")) == group] for group in GROUPS
            }
        else:
            groups = {"": own}
        sections.append((module, title, groups))
    (folder / "index.rst").write_text(_index(sections), encoding="utf-8")
    (folder / "names.md").write_text(_names(sections), encoding="utf-8")


def _group(home: str) -> str:
    return next((group for group, homes in GROUPS.items() if home in homes), "Show")


def _page(each: Name) -> str:
    title = each.page
    head = f"{each.title}\n{'=' * len(each.title)}\n\n.. py:currentmodule:: {each.home}\n\n"
    if inspect.isclass(each.what):
        body = f".. autoclass:: {title}\n   :members:\n   :show-inheritance:\n"
    elif inspect.isfunction(each.what):
        body = f".. autofunction:: {title}\n"
    else:
        body = f".. py:data:: {title}\n   :value: {each.what!r}\n\n   {constant_text(each)}\n"
    return f"{head}{body}\n.. minigallery:: {title}\n   :add-heading: Examples in the gallery\n"


Sections = list[tuple[str, str, dict[str, list[Name]]]]


def _index(sections: Sections) -> str:
    text = (
        "Reference\n=========\n\n"
        "Every public name: what it takes, what one row of its result means, what it raises, and an example.\n"
    )
    for module, title, groups in sections:
        text += f"\n{title}\n{'-' * len(title)}\n\n``{module}``\n"
        for group, names in groups.items():
            text += f"\n{group}\n{'^' * len(group)}\n" if group else ""
            text += "\n.. list-table::\n   :widths: 30 70\n   :class: names\n\n"
            for each in names:
                text += f"   * - :doc:`{each.name} <{each.page}>`\n     - {each.says}\n"
            text += f"\n.. toctree::\n   :hidden:\n   :caption: {group or title.split(':')[0]}\n\n"
            text += "".join(f"   {each.name} <{each.page}>\n" for each in names if each.home == each.module)
    return text


def _names(sections: Sections) -> str:
    text = ""
    for _module, title, groups in sections:
        for group, names in groups.items():
            links = " · ".join(f"[{each.name}](/reference/{each.page}.rst)" for each in names)
            text += f"**{group or title.split(':')[0]}**\n\n{links}\n\n"
    return text
