"""The command line, run within this process."""

from platforms import TOKEN

from periodkit import cli


def run(capsys, *arguments):
    """Run a command; returns its exit code and what it printed."""
    try:
        cli.main(arguments)
        code = 0
    except SystemExit as left:
        code = left.code or 0
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err
    return code, said.out + said.err
