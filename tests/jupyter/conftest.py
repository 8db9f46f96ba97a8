"""One JupyterLab and one browser for all tests that look at its pages."""

import pytest
from labs import CHROMIUM, lab_in_browser


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("chromium is not installed, so no notebook is opened in a browser")
    home = tmp_path_factory.mktemp("lab")
    with lab_in_browser(home / "notebooks", home / "home") as running:
        yield running
