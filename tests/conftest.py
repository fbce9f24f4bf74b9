"""Fixtures that every test may ask for.

database      a fresh, migrated database, on each engine in turn
record        the record on it        client      a system client of that record
client_of     `client_of("Organization/1")` gives a client of that organisation
statements    `with statements() as seen:` collects the SQL texts that run
record_settings   override in a module to start the record with other EHR_ settings
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests import engines
from tests.shared_data import MISSING

if TYPE_CHECKING:
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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what a missing reference folder left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = sum(MISSING in str(report.longrepr) for report in skipped)
    if left_out:
        terminalreporter.section("LEFT OUT", yellow=True)
        terminalreporter.line(f"{left_out} tests or modules were skipped: {MISSING}.")


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


@pytest.fixture
def client(record: "Record") -> "Client":
    """Give a system client of the record."""
    from ehr.app import create_app
    from tests.client import Client

    app = create_app(record)
    return Client(app.test_client(), _token(record, "system"))


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
    """Give a block that collects the SQL texts that run in it: `with statements() as seen:`."""

    @contextlib.contextmanager
    def collect() -> Iterator[list[str]]:
        seen: list[str] = []
        with database.observe(seen.append):
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


def _token(record: "Record", kind: str, organisation: str | None = None) -> str:
    from auth import tokens

    now = int(time.time() * 1000)
    return record.database.write(
        lambda connection: tokens.create(
            connection, kind=kind, name="tests", now=now, organisation=organisation
        )
    )
