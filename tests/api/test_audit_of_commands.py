"""Commands on the machine of the record are in the audit trail, by who runs them."""

import json
import os
import pwd
from pathlib import Path

import pytest

from ehr import cli
from ehr.audit.kinds import Kind
from ehr.audit.sealing import Sealer
from ehr.audit.telling import commands
from ehr.audit.verifying import verify
from ehr.cli.exits import Exit
from ehr.record import Record, now
from tests import audited, given
from tests.client import Client

ME = f"os-user:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture(autouse=True)
def _settings(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", record.settings.database_url)
    if record.settings.secret:
        monkeypatch.setenv("EHR_SECRET", record.settings.secret)


def run(*words: str) -> None:
    """Run a command, which must succeed."""
    assert cli.run(list(words)) == Exit.OK


def told(record: Record, *words: str, exit: int = Exit.OK) -> list[tuple[Kind, str | None, str]]:
    """Run a command; return the kinds, subjects and names of the events that tell of it."""
    with audited.since(record) as events:
        assert cli.run(list(words)) == exit
    assert {one.agent for one in events} <= {ME}
    # What a command asks the record is told as of any other caller.
    run = [one for one in events if one.role == commands.ROLE]
    return [(Kind(one.kind), one.named, one.client_id or "") for one in run]


def test_accounts(record: Record, client: Client) -> None:
    client.update_all(given.practitioner(id="reid"), given.organisation(id="surgery"))
    invited = ("--professional", "reid", "--role", "gp", "--title", "GP")

    assert told(record, "user", "invite", *invited) == [
        (Kind.USER_CHANGED, "Practitioner/reid", "ehr user invite")
    ]
    assert told(record, "user", "disable", "nobody", exit=Exit.REFUSED) == []


@pytest.mark.parametrize("action", ["disable", "enable", "unlink", "reset"])
def test_each_change_of_an_account(record: Record, client: Client, action: str) -> None:
    from tests.signing_in import make_user

    make_user(record, login="anna.reid", fhir_user="Practitioner/reid")

    [(kind, about, name)] = told(record, "user", action, "anna.reid")
    assert (kind, name) == (Kind.USER_CHANGED, f"ehr user {action}")
    assert about in ("anna.reid", "Practitioner/reid")


def test_roles(record: Record) -> None:
    from tests.signing_in import make_user

    make_user(record, login="anna.reid", fhir_user="Practitioner/reid")

    done = told(record, "user", "role", "anna.reid", "--role", "gp", "--title", "GP")
    assert done == [(Kind.USER_CHANGED, "anna.reid", "ehr user role")]
    assert told(record, "user", "role", "anna.reid", "--remove", "99", exit=Exit.REFUSED) == []


def test_clients(record: Record) -> None:
    added = (
        "--name",
        "My app",
        "--id",
        "app",
        "--confidential",
        "--redirect",
        "https://a.example/",
    )

    assert told(record, "client", "add", *added) == [(Kind.CLIENT_CHANGED, "app", "ehr client add")]
    for words in (("change", "app", "--verified"), ("secret", "app"), ("disable", "app")):
        assert told(record, "client", *words) == [
            (Kind.CLIENT_CHANGED, "app", f"ehr client {words[0]}")
        ]
    assert told(record, "client", "disable", "other", exit=Exit.REFUSED) == []
    assert told(record, "client", "list") == []


def test_tokens_without_the_token(record: Record, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(record, "token", "create", "--system", "--name", "lab") == [
        (Kind.TOKEN_ISSUED, "lab", "ehr token create")
    ]
    made = capsys.readouterr().out.split()[-1]

    id = json.loads(_listed(capsys))[-1]["id"]

    revoked = [(Kind.TOKEN_REVOKED, id, "ehr token revoke")]
    assert told(record, "token", "revoke", made) == revoked
    run("token", "create", "--system")
    other = json.loads(_listed(capsys))[-1]["id"]
    assert told(record, "token", "revoke", other)[0][1] == other


def _listed(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    run("token", "list", "--json")
    return capsys.readouterr().out


def test_what_changed_nothing_is_told_as_refused(record: Record) -> None:
    with audited.since(record) as events:
        assert cli.run(["token", "revoke", "0123456789abcdef"]) == Exit.REFUSED

    assert [(one.kind, one.outcome) for one in events] == [(Kind.TOKEN_REVOKED, 4)]


def test_keys(record: Record) -> None:
    assert told(record, "keys", "rotate") == [(Kind.POLICY_CHANGED, None, "ehr keys rotate")]


def test_an_export_says_what_and_how_much(record: Record, client: Client, tmp_path: Path) -> None:
    client.create(given.patient(id="mary"))

    with audited.since(record) as events:
        run("export", str(tmp_path / "all.ndjson"), "--type", "Patient")

    assert [(one.kind, one.named, one.found) for one in events] == [
        (Kind.EXPORT_STARTED, "Patient", None),
        (Kind.EXPORT_FINISHED, "Patient", 1),
    ]


def test_backups_and_what_is_restored(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "monday.ehr"

    assert told(record, "db", "backup", str(file)) == [
        (Kind.EXPORT_STARTED, "monday.ehr", "ehr db backup")
    ]
    monkeypatch.setenv("EHR_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    run("db", "restore", str(file))
    assert "imported" in _events()


def _events() -> str:
    from ehr.audit import rows
    from ehr.cli.opening import opened_database

    with opened_database(os.environ) as database, database.read() as connection:
        found = rows.listed(connection, patient_keys=(), agent=None, since=None, limit=1000)
    return " ".join(Kind(one.row.kind).name.lower() for one in found)


def test_who_lists_the_trail_stands_in_it(record: Record, client: Client) -> None:
    client.update(given.patient(id="mary"))

    with audited.since(record) as events:
        run("audit", "list", "--patient", "mary")

    [one] = events
    assert (one.kind, one.named, one.agent) == (Kind.AUDIT_READ, "Patient/mary", ME)
    assert one.patient_key > 0
    assert one.found == 1


def test_the_chain_holds_with_commands_in_it(record: Record) -> None:
    run("token", "create", "--system")
    run("keys", "rotate")
    Sealer(record.database, now, None).close()

    report = verify(record.database, None, lambda *_: None)
    assert report.is_sound
    assert report.rows >= 2


def test_who_runs_it_is_told_over_fhir(record: Record, client_of: object) -> None:
    run("keys", "rotate")
    operator = client_of(None, "operator")  # type: ignore[operator]

    found = operator.read(f"AuditEvent?agent={ME}")["entry"][0]["resource"]
    [user] = [one for one in found["agent"] if one["requestor"]]
    assert user["who"] == {"identifier": {"value": ME}}
    assert user["role"] == [{"text": commands.ROLE}]
    assert found["subtype"][0]["code"] == "110129"


def test_the_environment_does_not_say_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")

    assert commands.running_user() == ME


def test_nothing_changes_where_it_can_not_be_audited(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no room for events")

    before = json.loads(_listed(capsys))
    with monkeypatch.context() as patch:
        patch.setattr(commands.rows, "add", fail)
        assert cli.run(["token", "create", "--system"]) != Exit.OK
    assert json.loads(_listed(capsys)) == before
