"""The random population: valid, complete, the same from the same seed, and independent."""

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import fhir_profiles.own_names as product
from fhir_profiles.owners import SHARED, owner_reference
from fhir_profiles.validator import validate
from tests.policy.naive import Record, owners, relationships, vocabulary
from tests.policy.naive.reading import codes, mentioned
from tests.policy.naive.relationships import ACCEPTED, LIVE
from tests.policy.world import World, make_world

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def world() -> World:
    """Make one of thirty patients."""
    return make_world(30, seed=6)


def _documents(record: Record) -> list[dict[str, Any]]:
    return [one.document for row in record.rows() for one in row.versions if one.document]


def test_everything_is_valid_r4(world: World) -> None:
    for document in _documents(world.record):
        faults = [one for one in validate(document) if one.severity in ("error", "fatal")]
        assert faults == [], document


def test_what_is_referred_to_comes_first(world: World) -> None:
    sent: set[str] = set()
    for row in world.record.rows():
        sent.add(row.name)
        for version in row.versions:
            if version.document is not None:
                missing = {name for name in mentioned(version.document) if name not in sent}
                assert not missing, row.name


def test_a_seed_gives_one_world() -> None:
    first, again, other = (make_world(3, seed=seed) for seed in (1, 1, 2))

    assert _documents(first.record) == _documents(again.record)
    assert first.record.facts == again.record.facts
    assert first.callers == again.callers
    assert _documents(first.record) != _documents(other.record)


def test_versions_of_a_resource_follow_each_other(world: World) -> None:
    for row in world.record.rows():
        times = [one.at for one in row.versions]
        assert times == sorted(times), row.name
        assert times[-1] <= world.now, row.name


def test_it_has_what_access_turns_on(world: World) -> None:
    rows = world.record.rows()
    of_patients = Counter(row.type for row in rows if row.patient)
    labelled = Counter(row.type for row in rows if row.patient and _labels(row.document))

    assert len(world.record.of(None, "Organization")) >= 8
    assert len(of_patients) >= 35
    assert len(labelled) >= 25
    assert set().union(*(_labels(row.document) for row in rows)) >= {
        "U", "L", "M", "N", "R", "V", "HIV", "STD", "SUD", "ETH", "PSY", "MH", "SEX", "SDV",
        "GDIS", "TBOO", "VIO", "ADOL", "PRS", "PHY",
    }  # fmt: skip
    assert any(row.is_deleted for row in rows)
    assert any(_labels(row.document) != _labels(_first(row)) for row in rows)
    assert any("contained" in row.document for row in rows)
    assert len({row.type for row in rows if not row.patient and not row.is_shared}) >= 7
    assert {row.document["status"] for row in rows if row.type == "Encounter"} >= {
        *LIVE, "finished", "planned", "cancelled", "entered-in-error", "unknown",
    }  # fmt: skip
    assert {row.document["status"] for row in rows if row.type == "Task"} >= {
        *ACCEPTED, "completed", "failed", "cancelled", "requested", "received", "draft", "rejected",
    }  # fmt: skip
    assert {one.kind for one in world.record.facts} == {"claimed", "broken glass", "delegated"}


def _labels(document: dict[str, Any]) -> set[str]:
    return codes(document, "meta.security")


def _first(row: Any) -> dict[str, Any]:
    return row.versions[0].document


def test_every_kind_of_denial_is_there(world: World) -> None:
    said = Counter(
        name
        for consent in _active(world, "sharing")
        for one in [consent["provision"], *consent["provision"].get("provision", [])]
        if one["type"] == "deny"
        for name in _kinds(one)
    )

    assert said.keys() >= {
        "Practitioner", "Organization", "class", "code", "securityLabel", "data", "sharing",
    }  # fmt: skip
    assert len(_active(world, "proxy")) >= 5


def _active(world: World, kind: str) -> list[dict[str, Any]]:
    return [
        row.document
        for row in world.record.rows()
        if row.type == "Consent"
        and row.document["status"] == "active"
        and kind in codes(row.document, "category")
    ]


def _kinds(denial: dict[str, Any]) -> list[str]:
    if "actor" in denial:
        return [one["reference"]["reference"].split("/")[0] for one in denial["actor"]]
    found = [name for name in denial if name in ("class", "code", "securityLabel", "data")]
    return found or ["sharing"]


def test_every_relationship_is_somebodys_and_every_role_asks(world: World) -> None:
    found = Counter(
        kind
        for caller in world.callers.values()
        for number in range(1, 31)
        for kind in relationships(world.record, caller, f"Patient/p{number}", world.now)
    )

    assert found.keys() == {
        "registered", "team", "encounter", "referral", "done", "asked", "delegated", "self",
        "proxy", "claimed", "broken glass", "system",
    }  # fmt: skip
    assert len({caller.role for caller in world.callers.values()}) == 15


def test_owners_agree_with_the_product(world: World) -> None:
    """Both are tables written by hand; Provenances and Appointments need more than a table."""
    for row in world.record.rows():
        assert row.is_shared == (row.type in SHARED), row.name
        if row.type not in ("Patient", "Provenance"):
            assert row.patient == owner_reference(row.document), row.name
    assert set(owners.SHARED) == SHARED


def test_names_are_those_of_the_product() -> None:
    for mine, theirs in (
        (vocabulary.RELEASE_TIME, product.RELEASE_TIME),
        (vocabulary.BREAK_GLASS_ALLOWED, product.BREAK_GLASS_ALLOWED),
        (vocabulary.PROXY_BASIS, product.BASIS),
        (vocabulary.CONSENT_KIND, product.CONSENT_KIND),
        (vocabulary.PROXY_AREA, product.PROXY_AREA),
        (vocabulary.PROXY_ACTION, product.PROXY_ACTION),
        (vocabulary.PRIVACY_GROUP, product.PRIVACY_GROUP),
    ):
        assert mine == theirs


@pytest.mark.parametrize(
    "path", sorted([*HERE.glob("naive/*.py"), *HERE.glob("world/*.py")]), ids=lambda path: path.name
)
def test_it_shares_nothing_with_what_it_judges(path: Path) -> None:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module or "")

    roots = {name.split(".")[0] for name in found}
    assert not roots & {"auth", "ehr", "fhir_profiles", "sqlalchemy"}
    ours = {name for name in found if name.startswith("tests")}
    assert all(name.startswith(("tests.policy.naive", "tests.policy.world")) or
               name in ("tests.policy", "tests.policy.role_table") for name in ours)  # fmt: skip
