"""How Sphinx builds the site; `tools/site_build.py` lays out what it reads."""

import sys
from pathlib import Path

import periodkit

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from gallery_examples import THEMES

project = "periodkit"
author = "The periodkit developers"
version = release = periodkit.__version__
extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "gallery_pictures",
]
exclude_patterns = ["_examples", "tools", "images", "reference/names.md", "gallery/**/*.ipynb"]
default_role = "py:obj"
maximum_signature_line_length = 88
suppress_warnings = ["mystnb.unknown_mime_type"]  # what a report is made of, beside its picture

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
numpydoc_show_class_members = False

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # by default from a CDN
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "_examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[\\/](plot|table)_",
    "subsection_order": [f"_examples/{theme}" for theme in THEMES],
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": ("_repr_html_",),
    "image_scrapers": ("gallery_pictures.save_with_alt_text",),
    "default_thumb_file": str(Path(__file__).parent / "_static" / "table.png"),
    "abort_on_example_error": True,
    "backreferences_dir": "_backreferences",
    "doc_module": ("periodkit",),
    "inspect_global_variables": False,
    "reference_url": {"periodkit": None},
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"periodkit {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
# A browser may not fetch pages of a folder on disk to quote them.
html_show_search_summary = False
html_theme_options = {
    "logo": {"text": "periodkit"},
    "header_links_before_dropdown": 5,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "tutorial": [], "changelog": []}
copyright = "The periodkit developers. Apache-2.0"  # noqa: A001  (Sphinx's name)
