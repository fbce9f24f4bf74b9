"""Commands in the audit trail: who ran them, and what they were about (`ehr/audit/telling/`)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ehr.audit.telling import commands
from ehr.audit.telling.commands import Command
from ehr.cli import times

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.store.engine import Database

__all__ = ["Command", "tell", "write"]
T = TypeVar("T")


def write(database: "Database", command: Command, work: "Callable[[Connection], T]") -> T:
    """Change something in one transaction, which audits the command too."""
    return commands.write(database, command, times.now(), work)


def tell(database: "Database", command: Command) -> None:
    """Audit a command that shows something, before it does."""
    commands.tell(database, command, times.now())
