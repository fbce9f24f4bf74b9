"""A mark that changes with what tells who callers are, so that asking for it tells whether it has.

It stands for the directory of people and organisations and for records that are open in an
emergency. A random text: no two states have the same one, not after a restore either. Set where
those are written, in the same transaction and last, so that the row is held for as long as the
COMMIT takes.
"""

import secrets
from collections.abc import Iterable

from sqlalchemy import Connection

from ehr.store.facts import keep_fact

_NAME = "directory"
_TYPES = frozenset({"HealthcareService", "Organization", "Practitioner", "PractitionerRole"})
# The mark as a column of other statements, NULL where there was never one.
MARK = f"(SELECT value FROM database_fact WHERE name = '{_NAME}')"  # noqa: S608  a name of ours


def concerns(types: Iterable[str]) -> bool:
    """Tell whether what is written of these types may change who somebody is."""
    return not _TYPES.isdisjoint(types)


def change(connection: Connection) -> None:
    """Set another mark: what was learnt by an earlier one is asked for again."""
    keep_fact(connection, _NAME, secrets.token_hex(8))
