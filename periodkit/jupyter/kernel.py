"""The kernel that notebooks run in: always this Python, even if another kernel has the same name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["kernel_manager", "write_kernelspec"]

_NAME = "python3"


def kernel_manager() -> type[Any]:
    """Return a kernel manager class for nbclient that runs this Python."""
    from ipykernel.kernelspec import get_kernel_dict  # noqa: PLC0415  (the extra "lab")
    from jupyter_client.kernelspec import KernelSpec  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415

    class Manager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(**get_kernel_dict())

    return Manager


def write_kernelspec(folder: Path) -> None:
    """Describe this Python's kernel in a folder; first in JUPYTER_PATH, it takes precedence over all others."""
    from ipykernel.kernelspec import get_kernel_dict  # noqa: PLC0415

    home = folder / "kernels" / _NAME
    home.mkdir(parents=True)
    spec = {**get_kernel_dict(), "display_name": "Python 3 (periodkit)"}
    (home / "kernel.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
