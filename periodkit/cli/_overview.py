"""The help of the command line as a whole. It reads the commands' sources: importing them would take longer."""

import ast
import shutil
import textwrap
from pathlib import Path

from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE

__all__ = ["ABOUT", "EPILOGUE", "MODULES", "overview"]

MODULES = ("archive", "demo", "report", "snapshots")
"""The modules whose functions are commands."""

ABOUT = "Periods and actions of the ALO.ai venue platform: fetch them, measure them, report on them."
EPILOGUE = (
    f"Your account: set {BASE_URL_VARIABLE} and {TOKEN_VARIABLE}. "
    "Exit codes: 0 done, 1 failed, 2 called wrongly, 3 not checked in full. Add --debug to see where an error came from."
)


def overview() -> str:
    """Return what the command line is for, and one line for each command."""
    commands = dict(sorted(command for module in MODULES for command in _commands(module)))
    width = max(map(len, commands)) + 4
    columns = min(shutil.get_terminal_size().columns, 120)
    lines = [
        textwrap.fill(f"  {name:<{width - 2}}{meaning}", columns, subsequent_indent=" " * width)
        for name, meaning in commands.items()
    ]
    parts = [
        "Usage: periodkit COMMAND",
        textwrap.fill(ABOUT, columns),
        "\n".join(["Commands", *lines]),
        textwrap.fill("periodkit COMMAND --help explains a command and its options.", columns),
        textwrap.fill(EPILOGUE, columns),
    ]
    return "\n\n".join(parts)


def _commands(module: str) -> list[tuple[str, str]]:
    tree = ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"))
    return [
        (node.name.replace("_", "-"), (ast.get_docstring(node) or "").partition("\n\n")[0])
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and "app.command" in map(ast.unparse, node.decorator_list)
    ]
