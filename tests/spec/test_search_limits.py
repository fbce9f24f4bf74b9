"""The longest searches that are taken are answered, on each engine, whatever it binds.

The record is opened here, without the lint of statements: it would read these for minutes.
"""

import json

import pytest

from auth.principal import Principal
from ehr.errors import TooCostly
from ehr.messages import Interaction, Params
from ehr.pipeline import handle
from ehr.record import open_record
from ehr.settings import load


@pytest.mark.parametrize(
    ("code", "value", "count"),
    [
        ("code-value-quantity", "http://loinc.org|{n}$gt{n}.5|http://unitsofmeasure.org|kg", 50),
        ("value-quantity", "{n}.5|http://unitsofmeasure.org|kg", 1000),
        ("date", "ap2020-01-01T10:00:00.{n:03}Z", 1000),
        ("subject", "Patient/{n}", 1000),
        ("code", "http://loinc.org|{n}", 1000),
        ("patient.name", "a{n}", 1000),
        ("_id", "{n}", 1000),
        ("_text", "w{n} or b not (c{n} d)", 1000),
        ("_content", "w{n}", 1000),
    ],
)
def test_the_longest_lists_are_answered(
    database_url: str, code: str, value: str, count: int
) -> None:
    values = ",".join(value.format(n=n) for n in range(count))

    body = searched(database_url, "Observation", ((code, values), (code, values)))

    assert "entry" not in json.loads(body)


def test_the_paths_above_uris_are_answered_up_to_the_limit(database_url: str) -> None:
    values = [f"http://here.example/{'x/' * 47}{n}" for n in range(40)]

    body = searched(database_url, "ValueSet", (("url:above", ",".join(values[:39])),))
    with pytest.raises(TooCostly, match="more than 2000 values"):
        searched(database_url, "ValueSet", (("url:above", ",".join(values)),))

    assert "entry" not in json.loads(body)


def searched(database_url: str, type: str, params: Params) -> bytes:
    """Search an empty record."""
    interaction = Interaction(
        name="search-type", type=type, params=params, base="http://here.example/fhir"
    )
    record = open_record(load({"EHR_DATABASE_URL": database_url}))
    try:
        return handle(record, Principal("me", "system", "Me"), interaction).body or b""
    finally:
        record.database.close()
