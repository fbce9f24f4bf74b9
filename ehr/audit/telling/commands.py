"""What is audited of commands on the machine of the record: who ran which, and what it was about.

Who runs one is told by the operating system: there is no token. A command that changes something
is audited in the transaction of that change, one that shows something before it is shown.
"""

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from ehr.audit import rows
from ehr.audit.event import AuditRow, Place, numbered
from ehr.audit.kinds import Kind
from ehr.audit.trail import WRITERS
from ehr.messages import Instant
from ehr.store.engine import Database

T = TypeVar("T")
ROLE = "operating-system user"


@dataclass(frozen=True, slots=True)
class Command:
    """A command (`ehr user disable`), what it was about, and how much of it there was."""

    name: str
    kind: Kind
    about: str = ""
    patient_key: int = 0
    found: int | None = None


def running_user() -> str:
    """Return as whom this process runs, by the operating system and not by its environment."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in containers the number may be all there is
        name = str(os.getuid())
    return f"os-user:{name}"


def tell(database: Database, command: Command, at: Instant) -> None:
    """Audit a command by itself: it is safe when this returns."""
    write(database, command, at, lambda _: None)


def write(database: Database, command: Command, at: Instant, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction, which audits the command as well, and return what it
    returns; where it raises there is neither.

    False means that nothing was changed, which is told as refused.
    """
    writer = database.allocator.reserve_alone(WRITERS)

    def both(connection: Connection) -> T:
        done = work(connection)
        rows.add(connection, numbered([_row(command, at, done)], Place(-writer, 1, 1)))
        return done

    return database.write(both)


def _row(command: Command, at: Instant, done: object) -> AuditRow:
    return AuditRow(
        at=at,
        kind=command.kind,
        outcome=4 if done is False else 0,
        agent=running_user(),
        role=ROLE,
        client_id=command.name,
        patient_key=command.patient_key,
        named=command.about or None,
        found=command.found,
    )
