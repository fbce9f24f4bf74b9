"""A process that writes without end and tells of each write once it was acknowledged.

    python -m tests.faults.writing sqlite:///x.db 7

Prints a line for each acknowledged transaction: patient and number. Each is one patient with five
observations, or a new version of all six, so that half of one would be seen.
"""

import json
import sys
from typing import Any

from auth.principal import Principal
from ehr.messages import Document, Interaction, Preferences
from ehr.pipeline import handle
from ehr.record import open_record
from ehr.settings import Settings
from tests import given

OBSERVATIONS = 5
PRINCIPAL = Principal("tests", "system", "tests")


def main(url: str, name: str) -> None:
    """Write until killed."""
    record = open_record(Settings(database_url=url))
    number = 0
    while True:
        number += 1
        body = json.dumps(transaction(f"{name}-{number // 3}", number)).encode()
        asked = Interaction(
            name="transaction",
            method="POST",
            document=Document(body, json.loads(body)),
            preferences=Preferences(returning="minimal"),
        )
        handle(record, PRINCIPAL, asked)
        sys.stdout.write(f"{name}-{number // 3} {number}\n")
        sys.stdout.flush()


def transaction(patient: str, number: int) -> dict[str, Any]:
    """Return a Bundle that puts a patient and the observations, all marked with a number."""
    marked = [given.patient(id=patient, family=f"Mark {number}")]
    marked += [
        given.observation(f"Patient/{patient}", value=number) | {"id": f"{patient}-{n}"}
        for n in range(OBSERVATIONS)
    ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": one,
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            }
            for one in marked
        ],
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
