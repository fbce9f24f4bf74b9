"""Relationships follow the resources they come of, in the transaction that writes these."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select

from ehr.access.relationships import Kind
from ehr.bulk.loading.writing import LOADER
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.drafting import checked
from ehr.messages import Document, Interaction
from ehr.store.drafts import Method
from ehr.store.tables import consent_rule, relationship
from tests import given
from tests.client import Client, expect, to_json
from tests.conftest import _token
from tests.counting import is_counted
from tests.unit.ehr.access.access_documents import (
    access_task,
    actor,
    consent,
    encounter,
    proxy,
    request,
    task,
    team,
    to,
)

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.store.engine import Database

Stored = Callable[[], set[tuple[str, str]]]
PRACTICE, PHYSIO = "Organization/practice", "Organization/physio"
ASKING = Interaction(name="transaction")
ASKED = access_task("self-claim")
SOURCES: Mapping[str, dict[str, Any]] = {
    "team": team({"member": to("Practitioner/ann")}),
    "encounter": encounter(),
    "referral": request(),
    "task": task("accepted"),
    "carer": {"resourceType": "RelatedPerson", "patient": to("Patient/mary")},
}


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


@pytest.fixture(autouse=True)
def mary(client: Client) -> None:
    client.update(given.patient(id="mary", generalPractitioner=[to(PRACTICE)]))


@pytest.fixture
def stored(database: "Database") -> Stored:
    """Give what returns the kind and grantee of every relationship there is."""

    def rows() -> set[tuple[str, str]]:
        with database.read() as connection:
            found = connection.execute(select(relationship.c.kind, relationship.c.name))
            return {(Kind(kind).name, name) for kind, name in found}

    return rows


def test_a_patient_has_to_do_with_their_practice(client: Client, stored: Stored) -> None:
    assert ("REGISTERED", PRACTICE) in stored()

    client.update(given.patient(id="mary", generalPractitioner=[to("Organization/other")]))

    assert ("REGISTERED", PRACTICE) not in stored()
    assert ("REGISTERED", "Organization/other") in stored()


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_written_is_derived_and_goes_with_it(
    client: Client, stored: Stored, source: str
) -> None:
    before = stored()
    made = client.create(SOURCES[source])
    assert stored() > before

    assert client.delete(f"{made['resourceType']}/{made['id']}").status_code == 204
    assert stored() == before


def test_what_the_server_wrote_itself_is_derived_as_well(record: "Record", stored: Stored) -> None:
    """As `ehr load` brings it: no caller writes such a Task."""
    before = stored()
    document = checked(record, Document(to_json(ASKED).encode(), ASKED), "Task")
    [[made]] = apply(record, LOADER, [Change(Method.POST, "Task", document=document)], asked=ASKING)
    assert stored() == before | {("SELF_CLAIMED", "Practitioner/ann")}

    apply(record, LOADER, [Change(Method.DELETE, "Task", id=made.id)], asked=ASKING)
    assert stored() == before


def test_a_transaction_that_fails_changes_nobodys_access(client: Client, stored: Stored) -> None:
    before = stored()
    wrong = given.observation("Patient/mary", status="no such status")
    bundle = given.transaction(SOURCES["team"], wrong)

    assert client.post("", bundle).status_code == 400
    assert stored() == before


def test_what_is_filed_under_its_patient_opens_that_record(client: Client, stored: Stored) -> None:
    care = SOURCES["team"] | {"id": "t", "subject": to("Patient/nobody-yet")}
    unfiled = {name: value for name, value in care.items() if name != "subject"}
    client.update(unfiled)
    assert ("TEAM", "Practitioner/ann") not in stored()

    client.update(care | {"subject": to("Patient/mary")})

    assert ("TEAM", "Practitioner/ann") in stored()


def test_proxies_go_by_the_birth_date_as_it_is_now(client: Client, database: "Database") -> None:
    """A parent may do all for a small child and nothing from sixteen on."""
    parental = {name: value for name, value in proxy().items() if name != "performer"}
    client.create(parental | {"patient": to("Patient/mary")})

    def ends() -> set[int]:
        with database.read() as connection:
            c = relationship.c
            found = select(c.to_at).where(c.kind == int(Kind.PROXY))
            return set(connection.scalars(found))

    before = ends()
    client.update(given.patient(id="mary", birthDate="2020-01-01"))

    assert ends() != before


def test_a_consent_becomes_rules_and_stops_being_some(client: Client, database: "Database") -> None:
    def count() -> int:
        with database.read() as connection:
            return len(connection.execute(select(consent_rule.c.rid)).all())

    provision = {"type": "deny", "actor": [actor("Practitioner/ann")]}
    made = client.create(consent(provision) | {"patient": to("Patient/mary")})
    assert count() > 0

    client.update(made | {"status": "inactive"})

    assert count() == 0


def test_an_index_made_anew_brings_back_what_is_missing(
    client: Client, stored: Stored, record: "Record", database: "Database"
) -> None:
    operator = Client(client.flask, _token(record, "operator"))
    for one in SOURCES.values():
        client.create(one)
    before = stored()
    database.write(lambda connection: connection.execute(delete(relationship)))

    expect(operator.post("$reindex"), 200)

    assert stored() == before


@pytest.mark.parametrize("source", SOURCES)
def test_it_costs_four_statements_more(
    client: Client, statements: Callable[[], Any], source: str
) -> None:
    other = given.condition("Patient/mary")

    def cost(call: Callable[[], Any]) -> int:
        call()
        with statements() as seen:
            call()
        return len([sql for sql in seen if is_counted(sql)])

    created = cost(lambda: client.create(other))
    assert cost(lambda: client.create(SOURCES[source])) <= created + 4

    many = [SOURCES[source]] * 5
    few = cost(lambda: client.transact(given.transaction(*many[:1])))
    assert cost(lambda: client.transact(given.transaction(*many))) == few
