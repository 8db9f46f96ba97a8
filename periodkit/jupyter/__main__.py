"""``python -m periodkit.jupyter NOTEBOOK...`` executes notebooks in place."""

import sys

from periodkit.jupyter.files import main

main(sys.argv[1:])
