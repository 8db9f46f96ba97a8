"""``python -m periodkit`` is the command line."""

from periodkit.cli import main

main()
