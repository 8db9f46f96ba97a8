"""What the reference says of every public name: enough to use it without reading its code."""

import inspect
import re

import pytest
from numpydoc.validate import validate
from site_reference import MODULES, public_names

import periodkit as pk

NAMES = [each for each in public_names() if each.home == each.module]
CODE = [each for each in NAMES if inspect.isclass(each.what) or inspect.isfunction(each.what)]
FUNCTIONS = [each for each in CODE if inspect.isfunction(each.what)]
METHODS = [
    f"{each.page}.{name}"
    for each in CODE
    if inspect.isclass(each.what)
    for name, what in vars(each.what).items()
    if not name.startswith("_") and inspect.isfunction(what)
]

# Not asked for: an extended summary, "See Also", a line of its own for the summary and for the end, types in the text
# (signatures show them), names for what is returned.
CHECKS = {
    "GL03", "GL05", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04", "SS06", "PR01", "PR02", "PR07", "PR10",
    "RT01", "RT03", "YD01", "EX01",
}  # fmt: skip
OF_METHODS = CHECKS - {"EX01", "RT01", "PR01"}


def faults(name, checks):
    return [f"{code}: {text}" for code, text in validate(name)["errors"] if code in checks]


def parts(each):
    """The sections of a docstring by their titles."""
    found = re.split(r"^([A-Z][a-z]+)\n-+\n", inspect.getdoc(each.what), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_no_module_is_left_out():
    assert {each.module for each in NAMES} == set(MODULES)
    assert {each.name for each in public_names() if each.module == "periodkit"} == set(pk.__all__) - {
        "__version__",
        "plots",
    }
    assert len(NAMES) > 120


@pytest.mark.parametrize("each", CODE, ids=lambda each: each.page)
def test_parameters_results_and_an_example_are_described(each):
    assert faults(each.page, CHECKS) == []


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_described(name):
    assert faults(name, OF_METHODS) == []


@pytest.mark.parametrize("each", CODE, ids=lambda each: each.page)
def test_an_example_shows_what_comes_out(each):
    if each.name == "display":
        pytest.skip("shows a picture")
    lines = parts(each)["Examples"].strip().splitlines()
    assert any(line and not line.startswith((">>>", "...")) for line in lines)


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.page)
def test_types_are_shown(each):
    signature = inspect.signature(each.what)
    bare = [name for name, given in signature.parameters.items() if given.annotation is inspect.Parameter.empty]
    assert bare == []
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.page)
def test_what_one_row_is_is_said(each):
    if "DataFrame" not in str(inspect.signature(each.what).return_annotation):
        return
    assert re.search(r"\b(?:rows?|record|action|period)\b", parts(each)["Returns"], re.IGNORECASE)


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.page)
def test_errors_are_listed(each):
    raised = set(re.findall(r"raise (\w*Error)", inspect.getsource(each.what)))
    assert raised <= set(re.findall(r"\w+Error", parts(each).get("Raises", "")))


# Sums, and to and from the logarithm: no one's method.
PLAIN = {"from_log", "from_logit", "log_count", "log_time", "merge"}
WITH_INTERVALS = [
    each
    for each in FUNCTIONS
    if (each.module == "periodkit" and "confidence" in inspect.signature(each.what).parameters)
    or (each.module == "periodkit.metrics.estimate" and each.name not in PLAIN)
]


@pytest.mark.parametrize("each", WITH_INTERVALS, ids=lambda each: each.page)
def test_a_method_names_its_source_or_the_function_that_does(each):
    text = inspect.getdoc(each.what)
    named = [other for other in WITH_INTERVALS if re.search(rf"`(?:periodkit\.)?{other.name}`", text)]
    texts = [text, *(inspect.getdoc(other.what) for other in named)]
    assert any(re.search(r"\b(?:1[89]|20)\d\d\b", each) for each in texts), "no year of a publication"


@pytest.mark.parametrize("each", [each for each in NAMES if each not in CODE], ids=lambda each: each.page)
def test_a_constant_says_what_it_is(each):
    assert each.says
