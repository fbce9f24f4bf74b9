"""What $match is asked in tests, and a process that asks it (`python -m tests.matching URL TIMES`).

The process prints how many of its questions were answered, and how many were one too many.
"""

import sys
from dataclasses import replace
from typing import Any

from auth.principal import Principal
from auth.scopes import parse
from ehr.errors import Throttled
from ehr.messages import Document, Interaction
from ehr.pipeline import handle
from ehr.record import Record, open_record
from ehr.settings import Settings
from ehr.settings.limits import Limit
from fhir_profiles import json_format

NHS = "https://fhir.nhs.uk/Id/nhs-number"
CHI = "urn:oid:2.16.840.1.113883.2.1.3.2.4.16.53"
MARY, NOBODY, ANN = "9434765919", "9000000009", "9000000017"
MARYS_CHI = "0203500008"
BORN = "1950-03-02"
BUDGET = 7
CALLER = Principal(
    "Practitioner/reid", "professional", "tests", person="Practitioner/reid", role="gp"
)


def number(value: str = MARY, system: str = NHS, **more: Any) -> dict[str, Any]:
    """Return a national number as an identifier."""
    return {"system": system, "value": value, **more}


def wanted(value: str = MARY, born: str = BORN, **more: Any) -> dict[str, Any]:
    """Return who is looked for."""
    return {"resourceType": "Patient", "identifier": [number(value)], "birthDate": born, **more}


def question(patient: dict[str, Any] | None = None, **primitives: Any) -> dict[str, Any]:
    """Return the Parameters of a $match; a primitive by its type: count=("valueInteger", 1)."""
    parts: list[dict[str, Any]] = [{"name": "resource", "resource": patient or wanted()}]
    parts += [{"name": name, kind: value} for name, (kind, value) in primitives.items()]
    return {"resourceType": "Parameters", "parameter": parts}


def ask(record: Record, caller: Principal, times: int) -> tuple[int, int]:
    """Ask so many times; return how often it was answered, and how often refused for the budget."""
    caller = replace(caller, scopes=parse("user/Patient.s"))
    raw = json_format.serialise(wanted())
    asked = Interaction(
        name="operation",
        operation="match",
        type="Patient",
        method="POST",
        document=Document(raw, json_format.parse(raw)),
    )
    answered = refused = 0
    for _ in range(times):
        try:
            handle(record, caller, asked)
            answered += 1
        except Throttled:
            refused += 1
    return answered, refused


def main(url: str, times: str) -> None:
    """Ask and print."""
    settings = Settings(database_url=url, matches_per_hour=Limit.of_all(BUDGET))
    record = open_record(settings)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    answered, refused = ask(record, CALLER, int(times))
    sys.stdout.write(f"{answered} {refused}\n")
    record.database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
