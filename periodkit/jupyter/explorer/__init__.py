"""An explorer in JupyterLab: what is chosen -> frames -> pictures -> widgets."""

from periodkit.jupyter.explorer.explorer import Explorer, explore

__all__ = ["Explorer", "explore"]
