"""Generated searches by parameters that the record adds, against the oracle, on both engines.

The oracle reads the expressions as they were written, by an engine of its own; the record walks
them or evaluates them. Rows are made by `$reindex`, and by later writes.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ehr.operations.reindexing.asked import Asked
from ehr.operations.reindexing.job import take
from ehr.record import open_record
from ehr.search.definitions import FRESH
from ehr.settings import load
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_expressions import about
from fhir_profiles.search_parameters import Component, SearchParameter
from fhir_profiles.search_parameters import for_type as standard
from tests import engines
from tests.client import Client
from tests.given_parameters import search_parameter
from tests.spec.compared import Tally, compare, record_with
from tests.spec.oracle import definitions
from tests.spec.oracle.made_people import population
from tests.spec.oracle.made_queries import query
from tests.spec.oracle.search import BASE, Oracle
from tests.spec.test_search_against_oracle import ANSWERED

_CODE = "http://hl7.org/fhir/SearchParameter/clinical-code"
_VALUE = "http://hl7.org/fhir/SearchParameter/Observation-value-quantity"
# (type of base, code, kind, expression)
ADDED = [
    ("Patient", "known-as", "string", "Patient.name.where(use='official' or use='usual').family"),
    ("Patient", "first-names", "string", "Patient.name[0].given"),
    ("Patient", "later-names", "string", "Patient.name.skip(1)"),
    ("Patient", "lives", "string", "Patient.address.where(period.exists().not())"),
    ("Patient", "calls", "token", "Patient.telecom.where(system='phone')"),
    ("Patient", "number-text", "token", "Patient.telecom.where(value.length() > 3).value"),
    ("Patient", "moment", "date", "Patient.birthDate | Patient.deceased.ofType(dateTime)"),
    ("Patient", "has-died", "token", "Patient.deceased.exists()"),
    ("Patient", "last-identifier", "token", "Patient.identifier.last()"),
    ("Observation", "amount", "quantity", "Observation.value.as(Quantity)"),
    ("Observation", "part", "token", "Observation.component.where(value.exists()).code"),
    ("Observation", "part-amount", "quantity", "Observation.component.value.ofType(Quantity)"),
    ("Observation", "seen", "date", "Observation.effective.ofType(Period) | Observation.issued"),
    ("Observation", "by", "reference", "Observation.performer | Observation.subject"),
    ("Observation", "by-staff", "reference",
     "Observation.performer.where(resolve() is Practitioner)"),
    ("Observation", "by-first", "reference", "Observation.performer.first()"),
    ("Condition", "many-codes", "token", "Condition.code.where(coding.count() > 1)"),
    ("Condition", "onset-any", "date", "Condition.onset.ofType(Period) | Condition.recordedDate"),
    ("RiskAssessment", "chance", "number",
     "RiskAssessment.prediction.where(outcome.exists()).probability.ofType(decimal)"),
    ("ValueSet", "draws-on", "uri", "ValueSet.url | ValueSet.compose.include.system"),
    ("Resource", "labels", "token", "Resource.meta.tag | Resource.meta.security"),
]  # fmt: skip
PAIRS = [
    ("Observation", "part-pair", "Observation.component.where(value.exists())"),
    ("Observation", "whole-pair", "Observation"),
]


_BY = {*standard("Observation")["performer"].targets, *standard("Observation")["subject"].targets}
# What their elements may refer to; of one that is evaluated nobody knows.
_TARGETS = {
    "by": tuple(sorted(_BY)),
    "by-staff": ("Practitioner",),
    "by-first": resource_types(),
}


def _resources() -> list[dict[str, Any]]:
    made = [
        search_parameter(code, kind, base=[base], expression=expression)
        for base, code, kind, expression in ADDED
    ]
    components = [
        {"definition": _CODE, "expression": "code"},
        {"definition": _VALUE, "expression": "value.as(Quantity)"},
    ]
    made += [
        search_parameter(code, "composite", base=[base], expression=text, component=components)
        for base, code, text in PAIRS
    ]
    return made


def _with_added(type: str) -> Mapping[str, SearchParameter]:
    """Return what the oracle searches a type by: the added parameters, and ways between types."""
    found = {
        code: one
        for code, one in standard(type).items()
        if one.kind == "reference" or code in ("_id", "_lastUpdated", "near")
    }
    for base, code, kind, expression in ADDED:
        text = about(expression, type) if base in (type, "Resource") else ""
        if text:
            targets = _TARGETS.get(code, ())
            found[code] = _parameter(type, code, kind, text, targets, ())
    parts = (Component(_CODE, "code"), Component(_VALUE, "value.as(Quantity)"))
    for base, code, expression in PAIRS:
        if base == type:
            found[code] = _parameter(type, code, "composite", expression, (), parts)
    return found


def _parameter(
    type: str,
    code: str,
    kind: str,
    expression: str,
    targets: tuple[str, ...],
    parts: tuple[Component, ...],
) -> SearchParameter:
    targets = targets if kind == "reference" else ()
    return SearchParameter(type, code, kind, expression, "", "", targets, parts, 0)


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the oracle of the parameters."""
    monkeypatch.setattr(definitions, "for_type", _with_added)


def _compare(url: str, seed: int, queries: int, tally: Tally) -> None:
    rng = Random(seed)
    with record_with(url, population(rng, 100)) as (client, stored):
        for one in _resources():
            client.update(one)
        _reindex(url)
        time.sleep(FRESH + 0.1)
        stored = [
            client.update({**one, "language": "de"}) if n % 3 == 0 else one
            for n, one in enumerate(stored)
        ]
        oracle = Oracle(stored, convert=True)
        for _ in range(queries):
            compare(client, oracle, query(rng, oracle), tally)
        assert _declared(client) >= {code for _, code, _, _ in ADDED}


def _reindex(url: str) -> None:
    settings = {"EHR_DATABASE_URL": url, "EHR_REFERENCES": "none", "EHR_BASE_URL": BASE}
    record = open_record(load(settings))
    try:
        told = take(record, Asked()).run()
        assert told["state"] == "done", told["disagreements"]
    finally:
        record.database.close()


def _declared(client: Client) -> set[str]:
    statement = client.read("metadata")["rest"][0]
    return {one["name"] for each in statement["resource"] for one in each["searchParam"]}


def _runs(engine: str, folder: Path, seeds: range, queries: int) -> Tally:
    tally = Tally(ANSWERED)
    for seed in seeds:
        with engines.fresh_url(engine, folder) as url:
            _compare(url, seed, queries, tally)
    print(f"{engine}: {tally}")  # noqa: T201 - the counts are the finding
    return tally


@pytest.mark.parametrize("engine", engines.chosen())
def test_added_parameters_find_what_their_expressions_select(engine: str, tmp_path: Path) -> None:
    tally = _runs(engine, tmp_path, range(1), 150)

    assert tally.wrong == [], "\n\n".join(tally.wrong[:10])
    assert tally.compared >= 100


@pytest.mark.slow
@pytest.mark.parametrize("engine", engines.chosen())
def test_thousands_of_searches_by_added_parameters(engine: str, tmp_path: Path) -> None:
    tally = _runs(engine, tmp_path, range(200, 206), 500)

    assert tally.wrong == [], "\n\n".join(tally.wrong[:10])
    assert tally.compared > 2_000
