"""People who open records in tests: apps of professionals by role, who signed in a while ago."""

import json
import time
from typing import TYPE_CHECKING, Any

from auth import tokens
from ehr.app import create_app
from fhir_profiles.own_names import EMERGENCY_REASON
from tests import given
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

MINUTE = 60_000
REID, ANN, OFFICER = "Practitioner/reid", "Practitioner/ann", "Practitioner/officer"
WHY = "Found unconscious at home, no history known."


def staff(
    record: "Record",
    role: str | None = "gp",
    *,
    person: str | None = REID,
    organisation: str | None = "surgery",
    signed_in: int | None = 0,
    scope: str = "user/*.cruds",
    kind: str = "professional",
) -> Client:
    """Give an app of somebody who signed in so many ms ago, None: nobody knows."""
    now = int(time.time() * 1000)
    context: dict[str, Any] = {"author": person or "somebody", "role": role}
    context |= {"person": person} if person else {}
    context |= {"signed_in": record.clock() - signed_in} if signed_in is not None else {}
    granted = {"scope": scope, "context": json.dumps(context), "client_id": "tests"}
    token = record.database.write(
        lambda connection: tokens.create(
            connection, kind=kind, name="tests", now=now, organisation=organisation, **granted
        )
    )
    return Client(create_app(record).test_client(), token)


def put_ward(client: Client) -> None:
    """Store Mary, of the surgery, with nobody else who has to do with her; and who works where."""
    client.update_all(
        {"resourceType": "Organization", "id": "surgery", "name": "Riverside Surgery"},
        {"resourceType": "Organization", "id": "hospital", "name": "City Hospital"},
        *(given.practitioner(id=id) for id in ("reid", "ann", "officer", "con")),
        *(_role(id, at) for id, at in (("reid", "surgery"), ("ann", "surgery"),
                                       ("con", "hospital"))),
        given.patient(id="mary", generalPractitioner=[given.reference("Organization/surgery")]),
        given.patient(id="john"),
    )  # fmt: skip


def _role(person: str, organisation: str) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": f"{person}-{organisation}",
        "practitioner": given.reference(f"Practitioner/{person}"),
        "organization": given.reference(f"Organization/{organisation}"),
    }


def parameters(**named: tuple[str, Any] | None) -> dict[str, Any]:
    """Return Parameters: `text=("String", "…")`; None leaves one out."""
    listed = [
        {"name": name, f"value{one[0]}": one[1]} for name, one in named.items() if one is not None
    ]
    return {"resourceType": "Parameters", "parameter": listed}


def emergency(**more: tuple[str, Any] | None) -> dict[str, Any]:
    """Return what $break-glass is asked."""
    reason = ("Coding", {"system": EMERGENCY_REASON, "code": "risk-to-life"})
    return parameters(**{"reason": reason, "text": ("String", WHY), **more})


def told(answer: dict[str, Any], name: str) -> Any:
    """Return the value of a parameter of an answer, None without it."""
    for one in answer["parameter"]:
        if one["name"] == name:
            return next(value for key, value in one.items() if key != "name")
    return None


def task_of(client: Client, answer: dict[str, Any], name: str = "task") -> dict[str, Any]:
    """Return the Task that an answer names."""
    return client.read(told(answer, name)["reference"])
