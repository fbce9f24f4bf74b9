"""`ehr client` and `ehr keys`: what an operator registers, and the keys that sign."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth.apps.clients import APP_SCOPE
from ehr import cli
from ehr.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("on_database")

Printed = pytest.CaptureFixture[str]
APP = ["--name", "My app", "--redirect", "https://app.example.org/back"]


@pytest.fixture
def organisations(on_database: None) -> None:
    """Load whose clients are registered."""
    ids = ("lab", "northside")
    lines = [json.dumps({"resourceType": "Organization", "id": id, "name": id}) for id in ids]
    Path("places.ndjson").write_text("\n".join(lines), "utf-8")
    assert cli.run(["load", "places.ndjson"]) == Exit.OK


def _json(capsys: Printed, *arguments: str) -> Any:
    capsys.readouterr()
    assert cli.run([*arguments]) == Exit.OK, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def _key_file(folder: Path, *, private: bool = False) -> str:
    key = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384"})  # type: ignore[arg-type]
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": [key.as_dict(private=private)]}), "utf-8")
    return str(path)


def test_a_public_app_has_no_secret_and_the_origin_it_comes_back_to(capsys: Printed) -> None:
    made = _json(capsys, "client", "add", *APP, "--public", "--id", "my-app", "--json")

    assert made["client_id"] == "my-app"
    assert made["token_endpoint_auth_method"] == "none"
    assert made["origins"] == ["https://app.example.org"]
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert "client_secret" not in made
    assert made["state"] == "in use, not verified"


def _said(capsys: Printed, *arguments: str) -> tuple[str, str]:
    capsys.readouterr()
    assert cli.run([*arguments]) == Exit.OK, capsys.readouterr().err
    said = capsys.readouterr()
    return said.out, said.err


def test_what_was_registered_is_printed(capsys: Printed) -> None:
    out, err = _said(capsys, "client", "add", *APP, "--public", "--id", "my-app")

    told = dict(re.split(r"  +", line, maxsplit=1) for line in out.splitlines())
    assert told["client_id"] == "my-app"
    assert told["name"] == "My app"
    assert told["comes back to"] == "https://app.example.org/back"
    assert told["may ask for"] == APP_SCOPE
    assert told["proves itself by"].startswith("none")
    assert told["state"] == "in use, not verified"
    assert "ehr client change my-app --verified" in err


def test_t07_who_registers_an_app_unchecked_is_told_what_it_will_not_get(capsys: Printed) -> None:
    scope = ["--scope", "openid patient/*.rs user/Patient.rs user/Task.cruds"]

    _, unchecked = _said(capsys, "client", "add", *APP, "--public", *scope)
    _, checked = _said(capsys, "client", "add", *APP, "--public", *scope, "--verified")

    assert "user/Patient.rs user/Task.cruds will not be granted" in unchecked
    assert checked == ""


def test_a_backend_service_is_not_told_of_users(capsys: Printed, tmp_path: Path) -> None:
    keys = ["--jwks-file", _key_file(tmp_path)]

    out, err = _said(capsys, "client", "add", "--name", "Lab", "--backend", *keys)

    assert "system/*.rs" in out
    assert "user/" not in err


def test_the_help_names_the_scopes_that_are_registered_unasked(capsys: Printed) -> None:
    out, _ = _said(capsys, "client", "add", "--help")

    words = " ".join(out.split())
    assert APP_SCOPE in words
    assert "--backend" in words.partition(APP_SCOPE)[2]


def test_a_secret_is_shown_once_and_can_be_renewed(capsys: Printed) -> None:
    made = _json(capsys, "client", "add", *APP, "--confidential", "--json")
    renewed = _json(capsys, "client", "secret", made["client_id"], "--json")
    shown = _json(capsys, "client", "show", made["client_id"])

    assert made["client_secret"] != renewed["client_secret"]
    assert "client_secret" not in shown
    assert not any("secs_" in str(value) for value in shown.values())


@pytest.mark.usefixtures("organisations")
def test_a_backend_service_is_registered_with_a_key_file(capsys: Printed, tmp_path: Path) -> None:
    file = _key_file(tmp_path)

    made = _json(
        capsys, "client", "add", "--name", "Lab", "--backend", "--jwks-file", file,
        "--organisation", "Organization/lab", "--verified", "--json",
    )  # fmt: skip

    assert made["grant_types"] == ["client_credentials"]
    assert made["jwks"]["keys"][0]["kid"] == "one"
    assert (made["scope"], made["organisation"]) == ("system/*.rs", "lab")
    assert made["state"] == "in use"


def test_private_keys_are_refused(capsys: Printed, tmp_path: Path) -> None:
    file = _key_file(tmp_path, private=True)

    status = cli.run(["client", "add", "--name", "Lab", "--backend", "--jwks-file", file])

    assert status == Exit.USAGE
    assert "private" in capsys.readouterr().err


def test_keys_that_assertions_are_not_checked_by_are_refused(
    capsys: Printed, tmp_path: Path
) -> None:
    file = tmp_path / "short.jwks"
    short = {"kty": "RSA", "n": "_" + "A" * 170, "e": "AQAB", "kid": "one"}
    file.write_text(json.dumps({"keys": [short]}))

    status = cli.run(["client", "add", "--name", "Lab", "--backend", "--jwks-file", str(file)])

    assert status == Exit.USAGE
    assert "has 1024 bits" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*APP], "one of them"),
        ([*APP, "--public", "--confidential"], "one of them"),
        (["--name", "x", "--public"], "Redirect addresses"),
        ([*APP, "--public", "--purpose", "TREAT"], "backend services"),
        ([*APP, "--public", "--purpose", "ETREAT"], "HOPERAT"),
        ([*APP[2:], "--name", "x\u200by", "--public"], "can't be seen"),
        ([*APP[2:], "--name", "Shared Care Record", "--public"], "name of this server"),
        (["--name", "x", "--public", "--redirect", "http://evil.example/"], "redirect address"),
        ([*APP, "--public", "--redirect", "https://x.example/?state=x"], "state, which"),
        ([*APP, "--public", "--after-logout", "https://x.example/?state=x"], "state, which"),
        ([*APP, "--public", "--scope", "everything"], "scopes"),
        (["--name", "x", "--backend", "--jwks-file", "nowhere.json"], "could not be read"),
    ],
    ids=[
        "no way",
        "two ways",
        "no redirect",
        "purpose of an app",
        "unknown purpose",
        "unseen",
        "our name",
        "plain http",
        "state",
        "state after",
        "scope",
        "no file",
    ],
)
def test_what_cannot_be_registered_is_said(
    capsys: Printed, arguments: list[str], said: str
) -> None:
    assert cli.run(["client", "add", *arguments]) == Exit.USAGE

    assert said in capsys.readouterr().err


def test_a_client_is_changed_listed_and_put_out_of_use(capsys: Printed) -> None:
    id = _json(capsys, "client", "add", *APP, "--public", "--json")["client_id"]

    changed = _json(
        capsys, "client", "change", id, "--verified", "--scope", "patient/*.rs", "--json"
    )
    assert cli.run(["client", "disable", id]) == Exit.OK
    (listed,) = _json(capsys, "client", "list", "--json")

    assert (changed["scope"], changed["verified"]) == ("patient/*.rs", True)
    assert changed["redirect_uris"] == ["https://app.example.org/back"]
    assert listed["state"].startswith("out of use since")
    assert cli.run(["client", "disable", id]) == Exit.OK
    assert f"{id} is out of use already." in capsys.readouterr().err


@pytest.mark.parametrize("command", [["show"], ["secret"], ["change", "--verified"], ["disable"]])
def test_a_client_that_is_not_there_is_said_to_be_none(capsys: Printed, command: list[str]) -> None:
    _json(capsys, "client", "add", *APP, "--public", "--json")

    assert cli.run(["client", command[0], "nobody", *command[1:]]) == Exit.REFUSED
    assert "no client nobody" in capsys.readouterr().err


def test_tickets_are_made_listed_and_revoked(capsys: Printed) -> None:
    made = _json(capsys, "client", "ticket", "create", "--name", "Maker", "--uses", "2", "--json")
    (listed,) = _json(capsys, "client", "ticket", "list", "--json")

    assert made["uses"] == 2
    assert (listed["name"], listed["state"]) == ("Maker", "in force")
    assert made["ticket"] not in json.dumps(listed)
    assert cli.run(["client", "ticket", "revoke", listed["id"]]) == Exit.OK
    assert cli.run(["client", "ticket", "revoke", listed["id"]]) == Exit.REFUSED


@pytest.mark.usefixtures("organisations")
@pytest.mark.parametrize("named", ["northside", "Organization/northside"])
def test_who_registered_it_is_kept_by_id(capsys: Printed, named: str) -> None:
    made = _json(capsys, "client", "add", *APP, "--public", "--organisation", named, "--json")
    changed = ["client", "change", made["client_id"], "--publisher", "Maker Ltd", "--json"]

    assert made["organisation"] == "northside"
    assert _json(capsys, *changed)["publisher"] == "Maker Ltd"
    assert (
        cli.run(["client", "add", *APP, "--public", "--organisation", "Patient/x"]) == Exit.REFUSED
    )
    ticket = ["client", "ticket", "create", "--name", "Maker", "--organisation"]
    assert cli.run([*ticket, named]) == Exit.OK
    assert cli.run([*ticket, "not an id"]) == Exit.REFUSED
    capsys.readouterr()
    assert (
        cli.run(["client", "change", made["client_id"], "--organisation", "nope"]) == Exit.REFUSED
    )
    assert "ehr get 'Organization?_elements=name'" in capsys.readouterr().err


def test_t07_a_ticket_names_who_gets_it_so_that_it_can_be_read(capsys: Printed) -> None:
    made = ["client", "ticket", "create", "--name"]

    assert cli.run([*made, "Shared care record"]) == Exit.USAGE
    assert "name of this server" in capsys.readouterr().err


def test_keys_are_changed_and_listed(capsys: Printed) -> None:
    (first,) = _json(capsys, "keys", "rotate", "--json")
    (second,) = _json(capsys, "keys", "rotate", "--json")
    listed = _json(capsys, "keys", "list", "--json")

    assert first["id"] != second["id"]
    states = {each["id"]: each["state"] for each in listed}
    assert states[second["id"]] == "signs"
    assert states[first["id"]].startswith("served until")
