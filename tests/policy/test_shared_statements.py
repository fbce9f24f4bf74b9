"""The apps of many patients share statements: whom scopes mean are values, and never kept ones."""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.store import templates
from tests.client import Client
from tests.counting import is_asked_by_the_clock
from tests.policy.conftest import CATEGORY

App = Callable[..., Client]
SCOPES = {
    "all": "patient/*.rs",
    "types": "patient/Patient.rs patient/Observation.rs patient/Practitioner.rs openid fhirUser",
    "granular": f"patient/Patient.rs patient/Observation.rs?category={CATEGORY}|vital-signs",
    "own": "user/*.rs",
}
ASKED = (
    "Observation?patient={who}",
    "Observation?patient={who}&_sort=focus,-date&_count=1",
    "Observation?code=8867-4&_sort=-focus",
    "Observation?code=8867-4&_include=Observation:subject&_include=Observation:performer",
    "Patient?_revinclude=Observation:subject&_has:Observation:patient:code=8867-4",
    "Observation?subject:Patient.identifier=urn:n|{who}&_total=accurate",
    "Observation?_summary=count&patient={who}",
    "Observation/_history",
    "Observation/{who}-vital",
    "Patient/{who}/$everything",
)


@pytest.mark.parametrize("scopes", SCOPES)
def test_two_patients_share_all_statements(
    people: Client,
    client_with: App,
    database: Any,
    statements: Callable[[], Any],
    scopes: str,
) -> None:
    texts: dict[str, list[str]] = {}
    for who in ("mary", "john", "mary"):
        app = client_with(SCOPES[scopes], patient=who, person=f"Patient/{who}")
        app.get("Patient")  # knows the caller
        before = set(database.shapes)
        with statements() as seen:
            for asked in ASKED:
                answer = app.get(asked.format(who=who))
                other = "john" if who == "mary" else "mary"
                assert answer.status_code in (200, 403), asked
                found = answer.json.get("entry", [{"resource": answer.json}])
                assert not [
                    one for one in found if one.get("resource", {}).get("id", "").startswith(other)
                ], asked
        texts[who] = seen
        if who == "john":
            # What is sealed meanwhile is asked by the clock, whoever asks.
            assert not [
                one.sql
                for key, one in database.shapes.items()
                if key not in before and not is_asked_by_the_clock(one.sql)
            ]
    assert set(texts["john"]) == set(texts["mary"])


def test_a_kept_statement_never_runs_with_the_values_of_another(
    people: Client, client_with: App, record: Any
) -> None:
    app = client_with("patient/*.rs", patient="mary")
    app.read("Observation?patient=mary&_sort=focus")
    kept = [one for one in record.database.shapes.values() if isinstance(one, templates.Template)]
    hers = [one for one in kept if one.callers]
    assert hers

    with record.database.read() as connection:
        for one in hers:
            with pytest.raises(LookupError, match="caller_"):
                templates.run(connection, one, {})
