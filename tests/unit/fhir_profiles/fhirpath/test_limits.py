"""Expressions that would run for ever, eat memory or hang a regular expression are stopped."""

import time
import tracemalloc
from contextlib import suppress
from math import inf

import pytest

from fhir_profiles.fhirpath import FhirPathError, compile
from fhir_profiles.fhirpath.patterns import matches

PATIENT = {"resourceType": "Patient", "name": [{"given": [str(i) for i in range(300)]}]}

MANY = "(" + " | ".join(map(str, range(30))) + ")"
RUNAWAY = {
    "product": "name.given.select(%resource.name.given.select(%resource.name.given.select(1)))",
    "doubling string": MANY + ".aggregate($total & $total, 'abcdefgh')",
    "doubling list": "name.given.aggregate($total.combine($total), 1)",
    "replace": "'aaaaaaaaaa'" + f".replace('', '{'b' * 30}')" * 4,
    "growing repeat": "name.given.repeat($this & 'a')",
    "growing repeat by a function": "name.given.repeat($this.replace('1', '11') + '1')",
    "many long parts": "name.given.select("
    + MANY
    + ".aggregate(iif($total.length() < 500000, $total & $total, $total), 'abcdefgh')"
    + ".substring(1))",
    "endless repeat": "repeat(1 + iif($this is Patient, 0, $this))",
}


@pytest.mark.parametrize("expression", RUNAWAY.values(), ids=RUNAWAY.keys())
def test_a_runaway_expression_is_stopped(expression: str) -> None:
    start = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(FhirPathError):
            compile(expression).nodes(PATIENT, seconds=inf)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 200_000_000
    assert time.monotonic() - start < 60


HOSTILE = {
    "nested plus": "^(a+)+$",
    "nested star": "^(a*)*$",
    "alternation": "^(a|aa)+$",
    "optional": "^(a?a?)+$",
    "word groups": r"^(\w+\s?)*$",
    "many stars": "a*a*a*a*a*a*a*b",
    "counted": "^(a{1,30}){1,30}$",
    "back reference": r"^(a+)(\1)+$",
}


@pytest.mark.parametrize("pattern", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pattern_is_refused_or_fast(pattern: str) -> None:
    start = time.monotonic()

    with pytest.raises(FhirPathError):
        matches("a" * 5000 + "!", pattern)

    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^[A-Za-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*(\[x])?)*$", "Observation.component.value[x]"),
        (r"[A-Z]([A-Za-z0-9_]){0,254}", "PatientGenderExtension"),
        (r"^([0-9]+\.)*[0-9]+$", "1.2.840.113619"),
        (r"^https?://.*/Patient/[^/]+$", "https://example.org/fhir/Patient/1"),
        (r"^(foo|bar)baz$", "foobaz"),
        (r"^\d{3}-\d{2}-\d{4}$", "123-45-6789"),
    ],
)
def test_everyday_patterns_work(pattern: str, text: str) -> None:
    assert matches(text, pattern)


@pytest.mark.parametrize("pattern", ["(", "[", "a{99999999999999}", "(?P<x>a)(?P<x>b)", "*"])
def test_a_broken_pattern_is_an_error_of_the_expression(pattern: str) -> None:
    with pytest.raises(FhirPathError):
        matches("a", pattern)


def test_deep_documents_do_not_break_the_engine() -> None:
    item: dict[str, object] = {"linkId": "x"}
    for _ in range(3000):
        item = {"linkId": "x", "item": [item]}
    questionnaire = {"resourceType": "Questionnaire", "item": [item]}

    for expression in ("descendants().count()", "item = item", "repeat(item).count()"):
        with suppress(FhirPathError):
            compile(expression).evaluate(questionnaire)
