"""The policy table: default deny, system writes, operator only looks."""

import pytest

from auth.policy import (
    FINDING_OPERATIONS,
    READING,
    READING_OPERATIONS,
    WRITING,
    WRITING_OPERATIONS,
    decide,
)
from auth.principal import Principal

SYSTEM = Principal("1", "system", "Ward")
OPERATOR = Principal("2", "operator", "Night shift")


@pytest.mark.parametrize("interaction", sorted(READING | WRITING))
def test_system_may_do_every_interaction(interaction: str) -> None:
    assert decide(SYSTEM, interaction, "Patient").permit


@pytest.mark.parametrize(
    "operation", sorted(READING_OPERATIONS | WRITING_OPERATIONS | FINDING_OPERATIONS)
)
def test_system_may_call_every_operation(operation: str) -> None:
    assert decide(SYSTEM, "operation", "Patient", operation).permit


@pytest.mark.parametrize("interaction", sorted(READING))
def test_operator_may_look(interaction: str) -> None:
    assert decide(OPERATOR, interaction).permit


@pytest.mark.parametrize("interaction", sorted(WRITING))
def test_operator_may_not_change(interaction: str) -> None:
    decision = decide(OPERATOR, interaction, "Patient")

    assert not decision.permit
    assert interaction in decision.reason


@pytest.mark.parametrize("operation", sorted(WRITING_OPERATIONS | FINDING_OPERATIONS))
def test_operator_may_not_call_operations_that_write_or_find_people(operation: str) -> None:
    assert not decide(OPERATOR, "operation", "Patient", operation).permit


@pytest.mark.parametrize(
    ("caller", "asked", "says"),
    [
        (
            SYSTEM,
            ("operation", None, "reindex"),
            "A token of kind system may not do $reindex. One of kind operator may: "
            "`ehr token create --operator` makes it. "
            "On the machine of the record `ehr reindex` does the same.",
        ),
        (
            SYSTEM,
            ("explain", "Observation"),
            "A token of kind system may not do explain on Observation. One of kind operator may: "
            "`ehr token create --operator` makes it. "
            "On the machine of the record `ehr explain` does the same.",
        ),
        (
            OPERATOR,
            ("create", "Patient"),
            "A token of kind operator may not do create on Patient. One of kind system may: "
            "`ehr token create --system` makes it.",
        ),
        (SYSTEM, ("purge",), "A token of kind system may not do purge."),
    ],
    ids=["operation", "explain", "write", "nobody"],
)
def test_a_refusal_says_who_may_and_how(
    caller: Principal, asked: tuple[str, ...], says: str
) -> None:
    assert decide(caller, *asked).reason == says


def test_only_an_operator_has_searches_explained() -> None:
    assert decide(OPERATOR, "explain", "Patient").permit
    assert not decide(SYSTEM, "explain", "Patient").permit


@pytest.mark.parametrize("kind", ["", "patient", "System"])
def test_other_kinds_have_no_rights(kind: str) -> None:
    assert not decide(Principal("3", kind, "x"), "read", "Patient").permit


@pytest.mark.parametrize(("name", "operation"), [("purge", None), ("operation", None),
                                                 ("operation", "export"), ("", None)])  # fmt: skip
def test_unknown_interactions_are_denied(name: str, operation: str | None) -> None:
    assert not decide(SYSTEM, name, "Patient", operation).permit
