"""Failures as a person reads them: what happened, where or why, and what to do. No traceback.

Commands raise CommandError or let the errors of other rooms pass; `describe` puts both in words.
"""

from dataclasses import dataclass

from ehr.cli.exits import Exit


class CommandError(Exception):
    """A failure in three parts with its exit code."""

    def __init__(self, what: str, why: str, remedy: str, *, exit: Exit = Exit.FAILED) -> None:
        super().__init__(what)
        self.failure = Failure(what, why, remedy, exit)


def refused(what: str, why: str, remedy: str) -> CommandError:
    """Return what is raised where the record does not have what was named, or refuses it."""
    return CommandError(what, why, remedy, exit=Exit.REFUSED)


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, why, what to do, and the exit code."""

    what: str
    why: str
    remedy: str
    exit: Exit

    def text(self) -> str:
        """Return the lines for the terminal; a part that is not known is left out."""
        parts = (("Error", self.what), ("Why", self.why), ("Do", self.remedy))
        return "\n".join(f"{name + ':':<6} {text}" for name, text in parts if text)


def describe(error: Exception) -> Failure:
    """Return the failure that an exception stands for."""
    if isinstance(error, CommandError):
        return error.failure
    for known in (_of_settings, _of_record, _of_damage, _of_database):
        failure = known(error)
        if failure is not None:
            return failure
    return Failure(
        "The command stopped at a fault of its own.",
        f"{type(error).__name__}: {_first_line(error)}",
        "Run it again with `ehr --debug …` and send what it prints to the maintainers.",
        Exit.INTERNAL,
    )


def _of_settings(error: Exception) -> Failure | None:
    from ehr.settings import SettingsError

    if isinstance(error, SettingsError):
        return Failure(error.what, f"Found in {error.where}", error.remedy, Exit.SETTINGS)
    return None


def _of_record(error: Exception) -> Failure | None:
    from ehr.errors import Busy, FhirError

    if not isinstance(error, FhirError):
        return None
    if isinstance(error, Busy):
        return _no_database(error.__cause__ or error)
    first = error.issues[0]
    where = f"Found at {first.expression}." if first.expression else ""
    return Failure(first.diagnostics, where, "Correct the request and repeat it.", Exit.REFUSED)


def _of_damage(error: Exception) -> Failure | None:
    cause = getattr(error, "orig", error)
    name = str(getattr(cause, "sqlite_errorname", ""))  # none on PostgreSQL
    again = "restore a backup into a new one: `EHR_DATABASE_URL=sqlite:///new.db ehr db restore …`."
    if name == "SQLITE_NOTADB":
        return Failure(
            "The file is no SQLite database.",
            "It is something else, or was written over.",
            f"Correct EHR_DATABASE_URL; where the file was the record, {again}",
            Exit.DATABASE,
        )
    if name.startswith("SQLITE_CORRUPT"):
        return Failure(
            "The SQLite file is damaged.",
            f"SQLite says: {_first_line(cause)}.",
            f"Keep the file as it is, and {again}",
            Exit.DATABASE,
        )
    return None


def _of_database(error: Exception) -> Failure | None:
    from ehr.store.engine import DriverError
    from ehr.store.keys import WrongSecret
    from ehr.store.migrate import ForeignDatabase
    from ehr.store.opening import OutdatedSchema

    if isinstance(error, WrongSecret):
        return Failure(
            "This database's keys can't be opened.",
            "It was made with another EHR_SECRET.",
            "Set EHR_SECRET to the secret that the database was made with.",
            Exit.SETTINGS,
        )
    if isinstance(error, OutdatedSchema):
        what = "The database is not ready for this release."
        return Failure(what, error.why, error.remedy, Exit.DATABASE)
    if isinstance(error, ForeignDatabase):
        return Failure(
            "The database belongs to something else.",
            str(error),
            "Give an empty database: another EHR_DATABASE_URL or target.",
            Exit.DATABASE,
        )
    if isinstance(error, DriverError):
        return _no_database(error)
    return None


def _no_database(error: BaseException) -> Failure:
    why = _first_line(getattr(error, "orig", None) or error)
    remedy = "Check EHR_DATABASE_URL with `ehr settings`, and that the database is running."
    if "no password supplied" in why or "password authentication failed" in why:
        remedy = "Give the role's password: EHR_DATABASE_URL=postgresql://role:password@host/name."
    if "permission denied" in why:
        remedy = "Let its role own the database: `ALTER DATABASE name OWNER TO role`."
    return Failure("The database can't be used.", why, remedy, Exit.DATABASE)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
