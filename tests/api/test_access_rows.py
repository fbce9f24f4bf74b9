"""Rows of relationships and consent rules: made anew in few statements, and asked for now."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from ehr.access.relationships import Ceiling, Kind, Relationship
from ehr.access.relationships.held import caller_patients, grantees, is_related
from ehr.access.relationships.known import relationships_to
from ehr.access.relationships.moments import held_at
from ehr.access.relationships.rebuilding import Origin, rebuild
from ehr.access.relationships.rows import relationship_of
from ehr.access.terms import DAY, FOREVER
from ehr.store.engine import Database
from ehr.store.tables import consent_rule, relationship
from tests.unit.ehr.access.access_documents import (
    NOON,
    TERMS,
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

Statements = Callable[[], AbstractContextManager[list[str]]]
MARY, OTHER = 7, 9


def put(database: Database, *documents: Any, at: int = NOON, key: int = MARY) -> None:
    """Write documents of a patient; each is (rid, document), its id `x` and its rid."""
    origins = [
        Origin(key, rid, document["resourceType"], f"x{rid}", document, at, "1980")
        for rid, document in documents
    ]
    database.write(lambda connection: rebuild(connection, origins, TERMS))


def patients(
    database: Database, *names: str, now: int = NOON, at_least: Ceiling = Ceiling.ROLE, **more: Any
) -> set[int]:
    """Return the keys of a caller's patients, told alike by both shapes of the question."""
    caller = grantees(database.hasher, database.dialect, names, now)
    every = select(relationship.c.patient_key).distinct().subquery("one")
    with database.read() as connection:
        listed = set(connection.scalars(caller_patients(caller, at_least, **more)))
        asked = select(every.c.patient_key).where(
            is_related(every.c.patient_key, caller, at_least, **more)
        )
        assert set(connection.scalars(asked)) == listed
        kinds = more.get("kinds", list(Kind))
        for key in (MARY, OTHER):
            held = held_at(relationships_to(connection, key), names, now, at_least)
            assert any(one.kind in kinds for one in held) == (key in listed)
    return listed


def stored(database: Database) -> list[Relationship]:
    with database.read() as connection:
        found = select(relationship).order_by(relationship.c.rid, relationship.c.n)
        return [relationship_of(row) for row in connection.execute(found)]


def test_a_caller_s_patients_are_those_of_any_of_its_names(database: Database) -> None:
    put(database, (1, encounter()))
    put(database, (2, team({"member": to("Practitioner/con")})), key=OTHER)

    assert patients(database, "Organization/hospital") == {MARY}
    assert patients(database, "Practitioner/con", "Practitioner/x") == {MARY, OTHER}
    assert patients(database, "Practitioner/con", kinds=[Kind.TEAM]) == {OTHER}
    assert patients(database, "Practitioner/x") == set()
    assert patients(database) == set()


def test_from_and_to_are_judged_when_it_is_asked(database: Database) -> None:
    period = {"start": "2025-06-10", "end": "2025-06-20"}
    put(database, (1, team({"member": to("Practitioner/ann"), "period": period})))

    days = {day: bool(patients(database, "Practitioner/ann", now=NOON + day * DAY))
            for day in (-6, -5, 5, 6)}  # fmt: skip

    assert days == {-6: False, -5: True, 5: True, 6: False}


def test_a_source_is_made_anew_and_only_that(database: Database) -> None:
    put(database, (1, encounter()), (2, team({"member": to("Practitioner/ann")})))
    put(database, (1, encounter("cancelled")))

    assert patients(database, "Organization/hospital") == set()
    assert patients(database, "Practitioner/ann") == {MARY}

    gone = Origin(MARY, 2, "CareTeam", "x2", None, NOON)
    database.write(lambda connection: rebuild(connection, [gone], TERMS))
    assert stored(database) == []


def test_what_was_made_before_limits_what_is_made_now(database: Database) -> None:
    put(database, (1, encounter()))
    put(database, (1, encounter("finished")))
    put(database, (1, encounter("finished")), at=NOON + 20 * DAY)

    assert {one.to for one in stored(database)} == {NOON + 30 * DAY}


def test_rows_come_back_as_they_were(database: Database) -> None:
    put(database, (1, proxy()), (2, team({"member": to("Practitioner/a"),
                                          "onBehalfOf": to("Organization/o")})))  # fmt: skip

    first, second = stored(database)
    assert (first.kind, first.grantee, first.permits) == (
        Kind.PROXY, "RelatedPerson/ben", "read:medicines read:plan",
    )  # fmt: skip
    assert (second.behalf, second.to, second.ended) == ("Organization/o", FOREVER, False)


def test_on_behalf_of_counts_only_while_acting_for_it(database: Database) -> None:
    put(database, (1, team({"member": to("Practitioner/a"), "onBehalfOf": to("Organization/o")})))

    assert patients(database, "Practitioner/a") == set()
    assert patients(database, "Practitioner/a", "Organization/o") == {MARY}
    assert patients(database, "Organization/o") == set()


@pytest.mark.parametrize(
    ("status", "most"),
    [
        (None, Ceiling.ROLE),
        ("requested", Ceiling.MINIMAL),
        ("accepted", Ceiling.ROLE),
        ("rejected", Ceiling.MINIMAL),
        ("entered-in-error", Ceiling.ROLE),
    ],
)
def test_a_request_opens_no_more_than_its_task(
    database: Database, status: str | None, most: Ceiling
) -> None:
    put(database, (1, request()))
    if status is not None:
        put(database, (2, {**task(status), "focus": to("ServiceRequest/x1")}))

    opened = [c for c in list(Ceiling)[1:] if patients(database, "Organization/physio", at_least=c)]

    assert opened == [one for one in list(Ceiling)[1:] if one <= most]


def test_a_task_of_another_request_says_nothing(database: Database) -> None:
    put(database, (1, request()), (2, {**task("requested"), "focus": to("ServiceRequest/x9")}))
    put(database, (3, {**task("requested"), "focus": to("ServiceRequest/x1")}), key=OTHER)

    assert patients(database, "Organization/physio") == {MARY}


def test_a_delegation_ends_with_what_it_rests_on(database: Database) -> None:
    delegated = access_task("delegation", requester=to("Practitioner/con"))
    put(database, (1, encounter()), (2, delegated))
    assert patients(database, "Practitioner/ann") == {MARY}

    put(database, (1, encounter("cancelled")))
    assert patients(database, "Practitioner/ann") == set()


def test_who_may_see_little_delegates_little(database: Database) -> None:
    asked = {**task("requested"), "owner": to("Practitioner/con"), "focus": to("Condition/c")}
    put(database, (1, asked), (2, access_task("delegation", requester=to("Practitioner/con"))))

    assert patients(database, "Practitioner/ann") == set()
    assert patients(database, "Practitioner/ann", at_least=Ceiling.MINIMAL) == {MARY}


def test_a_delegation_is_not_delegated_on(database: Database) -> None:
    put(
        database,
        (1, encounter()),
        (2, access_task("delegation", requester=to("Practitioner/con"))),
        (3, {**access_task("delegation", requester=to("Practitioner/ann")),
             "owner": to("Practitioner/third")}),
    )  # fmt: skip

    assert patients(database, "Practitioner/third") == set()


def test_a_proxy_needs_its_related_person(database: Database) -> None:
    put(database, (1, proxy()))
    person = {"resourceType": "RelatedPerson", "patient": to("Patient/mary")}
    database.write(lambda connection: rebuild(connection, [_ben(OTHER, person)], TERMS))
    assert patients(database, "RelatedPerson/ben") == set()

    database.write(lambda connection: rebuild(connection, [_ben(MARY, person)], TERMS))
    assert patients(database, "RelatedPerson/ben") == {MARY}

    left = {**person, "active": False}
    database.write(lambda connection: rebuild(connection, [_ben(MARY, left)], TERMS))
    assert patients(database, "RelatedPerson/ben") == set()


def _ben(key: int, document: Any) -> Origin:
    return Origin(key, 5, "RelatedPerson", "ben", document, NOON)


def test_rows_of_nobody_s_and_of_other_types_are_never_made(database: Database) -> None:
    put(database, (1, encounter()), key=-3)
    put(database, (2, encounter()), key=0)
    put(database, (3, {"resourceType": "Observation", "performer": [to("Practitioner/a")]}))

    assert stored(database) == []


def test_rules_of_a_consent_are_made_anew(database: Database) -> None:
    def rules() -> list[tuple[Any, ...]]:
        c = consent_rule.c
        with database.read() as connection:
            found = select(c.name, c.may_be_lifted, c.to_at).order_by(c.n)
            return [tuple(row) for row in connection.execute(found)]

    actors = [actor("Practitioner/tom"), actor("Organization/o")]
    put(database, (1, consent({"type": "deny", "actor": actors})))
    assert rules() == [("Practitioner/tom", False, FOREVER), ("Organization/o", True, FOREVER)]

    put(database, (1, consent({"type": "deny"}, status="inactive")))
    assert rules() == []


def test_however_many_sources_four_statements_do(
    database: Database, statements: Statements
) -> None:
    def write(count: int) -> int:
        documents: Iterable[Any] = [
            (n, document)
            for n in range(count)
            for document in [(encounter(), consent({"type": "deny"}), task("accepted"))[n % 3]]
        ]
        with statements() as seen:
            put(database, *documents)
        return len(seen)

    assert write(3) == write(90) <= 4


def test_a_caseload_is_one_statement_for_all_callers(
    database: Database, statements: Statements
) -> None:
    put(database, (1, encounter()))
    with statements() as seen:
        for name in ("Practitioner/con", "Organization/hospital"):
            caller = grantees(database.hasher, database.dialect, [name, "Practitioner/z"], NOON)
            with database.read() as connection:
                assert set(connection.scalars(caller_patients(caller))) == {MARY}

    assert len(set(seen)) == 1


def test_everybody_s_relationship_is_no_question(database: Database) -> None:
    caller = grantees(database.hasher, database.dialect, ["Practitioner/a"], NOON)

    with pytest.raises(ValueError, match="no relationship"):
        caller_patients(caller, Ceiling.NOTHING)
