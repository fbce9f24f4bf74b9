"""Nothing is offered that the leak suite does not ask about: a new way in fails here first.

GraphQL, subscriptions, exports: each would be an operation, an interaction, an address or a room of
the product that `leaks/table.py` does not have.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ehr.operations import OPERATIONS
from ehr.search.grammar.controls import CONTROLS
from ehr.search.grammar.query import BESIDE_TYPES
from ehr.urls.operations import OFFERED
from fhir_profiles.search_parameters import for_type
from tests.client import Client
from tests.policy.leaks import table
from tests.policy.leaks.paths import PATHS

ROOT = Path(__file__).resolve().parents[2]
TABLES = (
    table.INTERACTIONS,
    table.MANNERS,
    table.PATCHES,
    table.OPERATIONS,
    table.PARAMETERS,
    table.ROOMS,
    table.ADDRESSES,
)


def not_asked(offered: Iterable[str], asked: Mapping[str, str]) -> set[str]:
    """Return what is offered and nobody asks about."""
    return set(offered) - asked.keys()


@pytest.fixture
def statement(client: Client) -> dict[str, Any]:
    """Give the part of the CapabilityStatement that says what the server does."""
    rest: dict[str, Any] = client.read("metadata")["rest"][0]
    return rest


def test_every_operation_is_asked_about(statement: dict[str, Any]) -> None:
    told = {one["name"] for one in statement["operation"]}
    told |= {one["name"] for each in statement["resource"] for one in each.get("operation", ())}

    offered = {*OPERATIONS, *(one.name for one in OFFERED), *told}
    assert not not_asked(offered, table.OPERATIONS)


def test_every_interaction_is_asked_about(client: Client, statement: dict[str, Any]) -> None:
    resources = statement["resource"]
    told = {one["code"] for one in statement["interaction"]}
    told |= {one["code"] for each in resources for one in each["interaction"]}

    assert not not_asked(told, table.INTERACTIONS)
    assert not not_asked({name for each in resources for name in each}, table.MANNERS)
    assert not not_asked(client.read("metadata")["patchFormat"], table.PATCHES)


def test_every_parameter_beside_elements_is_asked_about() -> None:
    of_all = {code for code, one in for_type("Basic").items() if not one.expression}

    assert not not_asked({*CONTROLS, *BESIDE_TYPES, *of_all}, table.PARAMETERS)


def test_every_address_below_the_base_is_asked_about(client: Client) -> None:
    rules = {one.rule for one in client.flask.application.url_map.iter_rules()}

    below = {rule for rule in rules if rule == "/fhir" or rule.startswith("/fhir/")}
    assert not not_asked(below, table.ADDRESSES)
    assert {rule.split("/")[1] for rule in rules - below} == {
        "auth", "healthz", "readyz", ".well-known",
    }  # fmt: skip


def test_every_room_of_the_product_is_asked_about() -> None:
    rooms = {one.parent.name for one in (ROOT / "ehr").glob("*/__init__.py")}

    assert not not_asked(rooms, table.ROOMS)


def test_what_the_tables_name_is_there() -> None:
    for one in (value for each in TABLES for value in each.values()):
        is_path = one in PATHS or one.startswith(table.NOTHING)
        assert is_path or (ROOT / "tests" / one).is_file(), one


@pytest.mark.parametrize("name", ["graphql", "export", "subscription-hook", "diff", "lastn"])
def test_what_is_new_is_missed(name: str) -> None:
    assert not_asked({*table.OPERATIONS, name}, table.OPERATIONS) == {name}
