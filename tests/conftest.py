"""Fixtures that every test may ask for.

database      a fresh, migrated database, on each engine in turn
record        the record on it        client      a system client of that record
client_of     `client_of("Organization/1")` gives a client of that organisation
client_with   `client_with("patient/*.rs", patient="mary")` gives an app with SMART scopes
around        what `auth` is given of that record
web           a browser of that record, without any session or token
statements    `with statements() as seen:` collects the SQL texts that run
record_settings   override in a module to start the record with other EHR_ settings
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from werkzeug.routing import Rule

from tests import engines, engines_in_turn
from tests.chromium import MISSING_BROWSER
from tests.counting import is_asked_by_the_clock
from tests.npm import NO_NODE
from tests.shared_data import MISSING

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from auth.surroundings import Surroundings
    from ehr.record import Record
    from ehr.store.engine import Database
    from tests.client import Client

_SLOW_FIRST_EXAMPLE = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
for _name, _examples in (("quick", 20), ("ci", 200), ("full", 5000)):
    hypothesis.settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,  # two busy cores: time says nothing
        derandomize=_name == "quick",  # the README's command gives the same answer twice
        suppress_health_check=_SLOW_FIRST_EXAMPLE,
        print_blob=True,
    )
hypothesis.settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder in the controlling process."""
    if not hasattr(config, "workerinput"):
        engines.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's servers when all workers are done."""
    if not hasattr(config, "workerinput"):
        engines.end_run()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let cases take turns on the engines."""
    parser.addoption(engines_in_turn.OPTION, action="store_true", help="each case on one engine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is another engine's turn, where that is asked for."""
    if config.getoption(engines_in_turn.OPTION):
        engines_in_turn.leave_out(config, items)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what a missing reference folder, Node or browser left out."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    reasons = (MISSING, NO_NODE, MISSING_BROWSER)
    left_out = {why: sum(why in text for text in skipped) for why in reasons}
    if any(left_out.values()):
        terminalreporter.section("LEFT OUT", yellow=True)
    for why, count in left_out.items():
        if count:
            terminalreporter.line(f"{count} tests or modules were skipped: {why}.")


@pytest.fixture(params=engines.chosen())
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a fresh, migrated database on each engine in turn."""
    with engines.fresh_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator["Database"]:
    """Give a fresh, migrated database, opened: the record's own where the test has a record."""
    if "record" in request.fixturenames:
        yield request.getfixturevalue("record").database
        return
    from ehr.settings import DEVELOPMENT_SECRET
    from ehr.store.opening import open_database

    opened = open_database(database_url, secret=DEVELOPMENT_SECRET)
    yield opened
    opened.close()


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Return further EHR_ settings; a module that needs some defines this fixture anew."""
    return {}


@pytest.fixture
def record(database_url: str, record_settings: dict[str, str]) -> Iterator["Record"]:
    """Give the record on a fresh database; `record.database` is that database."""
    from ehr.record import open_record
    from ehr.settings import load

    environment = {"EHR_DATABASE_URL": database_url, **record_settings}
    opened = open_record(load(environment))
    yield opened
    opened.database.close()


@pytest.fixture(scope="session", autouse=True)
def _routes_are_compiled_once() -> None:
    """Compile each route once a process: nearly every test makes an application of fifty routes.

    Werkzeug writes a function for each, of nothing but the rule; that took a tenth of all tests.
    """
    compiled: dict[Any, Any] = {}
    compile_anew = Rule._compile_builder

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, rule.host, rule.subdomain, append_unknown)
        if rule.defaults or key not in compiled:
            compiled[key] = compile_anew(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = once  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _passwords_take_a_moment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let hashes of passwords be weak where tests sign people in by the hundred.

    Those that are made for keeping take a fifth of a second; the unit tests of them have those.
    """
    if "unit" in request.path.parts:
        return
    from argon2 import PasswordHasher

    from auth.sign_in import credentials

    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_HASHER", weak)
    monkeypatch.setattr(credentials, "_NOBODY", [])


@pytest.fixture
def client(record: "Record") -> "Client":
    """Give a system client of the record."""
    from ehr.app import create_app
    from tests.client import Client

    app = create_app(record)
    return Client(app.test_client(), _token(record, "system"))


@pytest.fixture
def around(record: "Record") -> "Surroundings":
    """Give what `auth` is given of the record."""
    from ehr.app import surroundings_of

    return surroundings_of(record)


@pytest.fixture
def web(record: "Record") -> "FlaskClient":
    """Give a browser of the record that nobody signed in with and that sends no token by itself."""
    from ehr.app import create_app

    return create_app(record).test_client()


@pytest.fixture
def client_of(record: "Record") -> Callable[..., "Client"]:
    """Give what makes further clients of the record, of an organisation or of none."""
    from ehr.app import create_app
    from tests.client import Client

    app = create_app(record)

    def make(organisation: str | None = None, kind: str = "system") -> Client:
        return Client(app.test_client(), _token(record, kind, organisation))

    return make


@pytest.fixture
def client_with(record: "Record") -> Callable[..., "Client"]:
    """Give what makes apps: `client_with("user/*.rs", kind="professional")`.

    An app of a patient who is in context, unless another kind is named; `patients` are those whose
    records a patient or carer opens, the one in context unless others are named.
    """
    from ehr.app import create_app
    from tests.client import Client

    app = create_app(record)

    def make(scope: str, **granted: Any) -> Client:
        return Client(app.test_client(), _granted(record, scope, **granted))

    return make


@pytest.fixture
def folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let commands run in an empty folder, without any setting of this machine's."""
    from ehr.settings import SETTINGS

    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    return tmp_path


@pytest.fixture
def on_database(
    folder_of_its_own: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let commands run on a fresh database, on each engine in turn."""
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)


@pytest.fixture
def statements(database: "Database") -> Callable[[], Any]:
    """Give a block that collects the SQL texts that run in it: `with statements() as seen:`.

    What the record asks by the clock is left out: only a slow machine meets it.
    """

    @contextlib.contextmanager
    def collect() -> Iterator[list[str]]:
        seen: list[str] = []
        with database.observe(lambda sql: is_asked_by_the_clock(sql) or seen.append(sql)):
            yield seen

    return collect


_ran: set[tuple[str, str]] = set()  # (dialect, text) of every statement of this process
_judged: set[tuple[str, str]] = set()


@pytest.fixture(scope="session", autouse=True)
def _every_statement() -> Iterator[None]:
    """Collect the SQL texts that run, on whatever database a test or a command opens."""
    from ehr.store.engine import Database

    begin = Database.__init__

    def observed(self: Database, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        dialect = self.dialect
        # Kept by the database itself, so that it ends with it.
        vars(self)["listening"] = self.observe(lambda sql: _ran.add((dialect, sql)))
        vars(self)["listening"].__enter__()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "__init__", observed)
        yield


@pytest.fixture
def ran() -> set[tuple[str, str]]:
    """Give the (dialect, text) of the statements that ran in this process so far."""
    return _ran


@pytest.fixture(autouse=True)
def _linted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold what a test ran against the rule that no join leaves the key (`sql_lint.py`)."""
    yield
    fresh = _ran - _judged
    if request.node.get_closest_marker("damages"):
        _ran.difference_update(fresh)  # judged where code of ours runs them
    elif fresh:
        from tests.sql_lint import violations

        _judged.update(fresh)
        faults = {sql: found for dialect, sql in fresh if (found := violations(dialect, sql))}
        assert not faults, "\n".join(f"{found}: {sql}" for sql, found in faults.items())


# Who they are where a test does not say: `tests/policy/conftest.py` lets them have to do with Mary.
_SURGERY = "surgery"
_PEOPLE = {"professional": "Practitioner/reid", "carer": "RelatedPerson/ben"}


def _granted(
    record: "Record",
    scope: str,
    *,
    patient: str | None = None,
    kind: str = "patient",
    patients: tuple[str, ...] | None = None,
    person: str | None = None,
    organisation: str | None = None,
    role: str = "gp",
    **further: str | None,
) -> str:
    """Return a token as an app gets it; `further` are jkt, audience and the like."""
    from auth import tokens

    mine = patients if patients is not None else (patient,) if patient else ()
    who = person or _PEOPLE.get(kind)
    if organisation is None and kind == "professional":
        organisation = _SURGERY
    context = {
        "author": person or f"tests/{kind}",
        "launch": {"patient": patient} if patient else {},
        "patients": list(mine),
        **({"person": who} if who else {}),
        **({"role": role} if kind == "professional" else {}),
    }
    granted = {"scope": scope, "context": json.dumps(context), "client_id": "tests", **further}
    now = int(time.time() * 1000)
    return record.database.write(
        lambda connection: tokens.create(
            connection, kind=kind, name="tests", now=now, organisation=organisation, **granted
        )
    )


def _token(record: "Record", kind: str, organisation: str | None = None) -> str:
    from auth import tokens

    now = int(time.time() * 1000)
    return record.database.write(
        lambda connection: tokens.create(
            connection, kind=kind, name="tests", now=now, organisation=organisation
        )
    )
