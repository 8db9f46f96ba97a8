"""``python -m periodkit.jupyter NOTEBOOK...`` executes notebooks in place, as they are committed."""

import sys

from periodkit.jupyter.files import main

main(sys.argv[1:])
