"""`ehr user`: inviting, listing, shutting out, letting in again, roles."""

import json
from pathlib import Path
from typing import Any

import pytest

from ehr import cli
from ehr.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("on_database", "people")

Printed = pytest.CaptureFixture[str]
INVITE = ["user", "invite", "--professional", "ada", "--role", "gp", "--title", "GP at Northside"]


@pytest.fixture
def people(on_database: None) -> None:
    """Load who is to be invited."""
    resources: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": "northside", "name": "Northside"},
        {"resourceType": "Practitioner", "id": "ada", "name": [{"text": "Ada Nordmann"}]},
        {"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01"},
        {"resourceType": "Patient", "id": "unborn"},
    ]
    Path("people.ndjson").write_text("\n".join(map(json.dumps, resources)), "utf-8")
    assert cli.run(["load", "people.ndjson"]) == Exit.OK


@pytest.fixture
def ada(capsys: Printed) -> str:
    """Give the sign-in name of a professional who joined."""
    from auth.joining import invitations
    from ehr.app import surroundings_of
    from ehr.cli.opening import opened_record

    assert cli.run([*INVITE, "--organisation", "northside", "--json"]) == Exit.OK
    code = json.loads(capsys.readouterr().out)["code"]
    with opened_record(_environment()) as record:
        around = surroundings_of(record)
        invited = invitations.try_code(around, code, "")
        assert invited is not None
        around.store.write(
            lambda connection: invitations.accept(
                connection, invited, now=around.clock(), login="ada"
            )
        )
    return "ada"


def test_an_invitation_is_printed_once_with_how_to_use_it(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHR_BASE_URL", "https://record.example.org/fhir")
    capsys.readouterr()

    assert cli.run(["user", "invite", "--patient", "mary"]) == Exit.OK

    printed = capsys.readouterr()
    assert len(printed.out.strip()) == len("ABCD-2345-EFGH-6789")
    assert "https://record.example.org/auth/join" in printed.err
    assert "their date of birth" in printed.err


def test_no_address_is_invented_for_an_invitation(capsys: Printed) -> None:
    capsys.readouterr()

    assert cli.run(["user", "invite", "--patient", "mary"]) == Exit.OK
    said = capsys.readouterr().err
    assert cli.run(["user", "invite", "--patient", "mary", "--json"]) == Exit.OK

    assert "http" not in said
    assert "Set EHR_BASE_URL" in said
    assert json.loads(capsys.readouterr().out)["address"] is None


@pytest.mark.parametrize(
    ("arguments", "exit", "why"),
    [
        (["--patient", "nobody"], Exit.REFUSED, "--patient nobody: The record has no such person."),
        (["--professional", "eve", *INVITE[4:]], Exit.REFUSED, "ehr get 'Practitioner?"),
        (["--patient", "unborn"], Exit.REFUSED, "not hold their full date of birth"),
        (["--professional", "ada"], Exit.USAGE, "say --role and --title"),
        (["--professional", "ada", "--role", "gp"], Exit.USAGE, "say --role and --title"),
        (
            ["--professional", "ada", "--role", "GP", "--title", "x"],
            Exit.REFUSED,
            "hospital-consultant, nurse",
        ),
        (["--patient", "mary", "--role", "gp"], Exit.USAGE, "go with --professional"),
        (["--professional", "ada", "--patient", "mary"], Exit.USAGE, "one of them"),
        ([], Exit.USAGE, "one of them"),
    ],
)
def test_who_can_t_be_invited_is_told_why(
    capsys: Printed, arguments: list[str], exit: Exit, why: str
) -> None:
    assert cli.run(["user", "invite", *arguments]) == exit
    assert why in capsys.readouterr().err


def test_a_user_is_listed_and_shown(capsys: Printed, ada: str) -> None:
    assert cli.run(["user", "list", "--json"]) == Exit.OK
    (listed,) = json.loads(capsys.readouterr().out)
    assert cli.run(["user", "show", ada, "--json"]) == Exit.OK
    shown = json.loads(capsys.readouterr().out)
    assert cli.run(["user", "show", ada]) == Exit.OK

    assert (listed["login"], listed["person"]) == ("ada", "Practitioner/ada")
    assert shown["roles"][0]["organisation"] == "northside"
    assert "1 GP at Northside (gp)" in capsys.readouterr().out


def test_a_second_invitation_of_a_user_is_refused(capsys: Printed, ada: str) -> None:
    assert cli.run(INVITE) == Exit.REFUSED
    assert "`ehr user reset`" in capsys.readouterr().err

    assert cli.run(["user", "reset", ada, "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["person"] == "Practitioner/ada"


def test_who_makes_a_reset_is_told_what_holds_until_it_is_used(capsys: Printed, ada: str) -> None:
    capsys.readouterr()

    assert cli.run(["user", "reset", ada]) == Exit.OK

    said = " ".join(capsys.readouterr().err.split())
    assert "What they sign in with now holds until they use the code" in said
    assert "`ehr user disable`" in said


def test_a_user_is_shut_out_and_let_in_again(capsys: Printed, ada: str) -> None:
    said = []

    for command in ("disable", "disable", "enable", "enable"):
        assert cli.run(["user", command, ada]) == Exit.OK
        said.append(capsys.readouterr().err.strip())

    assert said == [
        "Shut out.",
        "They were shut out already.",
        "Let in again.",
        "They were not shut out.",
    ]


def test_roles_are_given_and_taken(capsys: Printed, ada: str) -> None:
    given = ["user", "role", ada, "--role", "urgent-care", "--title", "Urgent care", "--manages"]

    assert cli.run(given) == Exit.OK
    assert cli.run(["user", "role", ada, "--remove", "1"]) == Exit.OK
    assert cli.run(["user", "role", ada, "--remove", "7"]) == Exit.REFUSED
    capsys.readouterr()
    cli.run(["user", "show", ada, "--json"])

    (held,) = json.loads(capsys.readouterr().out)["roles"]
    assert (held["role"], held["manages"]) == ("urgent-care", True)


@pytest.mark.parametrize(
    "given",
    [[*INVITE[:-2], "--title", "GP"], ["user", "role", "ada", "--role", "gp", "--title", "GP"]],
    ids=["invite", "role"],
)
def test_a_role_where_nothing_is_is_refused(capsys: Printed, given: list[str]) -> None:
    assert cli.run([*given, "--organisation", "nope"]) == Exit.REFUSED

    said = capsys.readouterr().err
    assert "no Organization/nope" in said
    assert "ehr get 'Organization?_elements=name'" in said


def test_accounts_elsewhere_are_forgotten(capsys: Printed, ada: str) -> None:
    assert cli.run(["user", "unlink", ada]) == Exit.OK
    assert "Forgot 0" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "disable", "enable", "reset", "unlink"])
def test_a_name_nobody_has_is_told(capsys: Printed, command: str) -> None:
    assert cli.run(["user", command, "nobody"]) == Exit.REFUSED
    assert "There is no user nobody." in capsys.readouterr().err


def _environment() -> Any:
    import os

    return os.environ
