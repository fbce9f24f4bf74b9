"""Look-ups of a patient by number and birth date: the statement, and how many each caller made.

Knows no relationship: whoever may ask at all finds a patient by these two together, and by nothing
less. So a look-up opens no row that is labelled, and each caller has only so many in an hour.
"""

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, select, text

from ehr.store import tables
from ehr.store.engine import of
from ehr.store.labels import NORMAL, SENSITIVITY
from ehr.store.read import COLUMNS, Stored, stored
from ehr.store.rows import identifier_text
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import for_type

HOUR = 3_600_000  # milliseconds
MOST_FOUND = 10

_BORN = for_type("Patient")["birthdate"].param_id
# That patients said something themselves hides nothing; every other sensitivity does.
_HIDING = (1 << len(SENSITIVITY)) - 1 - (1 << SENSITIVITY.index("PATRPT"))
# One atomic statement: of many at once each gets a number of its own, in any process. An hour that
# is over is overwritten; who has a slower clock counts in the newer hour.
_COUNT = text(
    "INSERT INTO patient_lookup (caller, hour, lookups) VALUES (:caller, :hour, 1) "
    "ON CONFLICT (caller) DO UPDATE SET "
    "lookups = CASE WHEN patient_lookup.hour < excluded.hour THEN 1 "
    "ELSE patient_lookup.lookups + 1 END, "
    "hour = CASE WHEN patient_lookup.hour < excluded.hour THEN excluded.hour "
    "ELSE patient_lookup.hour END "
    "RETURNING lookups"
)
_I, _R = tables.identifier_locator.c, tables.resource.c
_D, _V = tables.date.c, tables.version.c
_FOUND = (
    select(_R.id, *(_V[name] for name in COLUMNS))
    .select_from(tables.identifier_locator)
    .join(tables.resource, (_R.patient_key == _I.patient_key) & (_R.rid == _I.rid))
    .join(tables.date, (_D.patient_key == _R.patient_key) & (_D.rid == _R.rid))
    .join(
        tables.version,
        (_V.patient_key == _R.patient_key) & (_V.rid == _R.rid) & (_V.version == _R.version),
    )
    .where(
        _I.hash == bindparam("hash", type_=BigInteger),
        _I.type == type_number("Patient"),
        _I.value == bindparam("value", type_=Text),
        _D.param == bindparam("param", _BORN, type_=Integer),
        _D.low == bindparam("low", type_=BigInteger),
        _D.high == bindparam("high", type_=BigInteger),
        _D.element == 0,
        _R.deleted.is_(False),
        _R.conf <= NORMAL,
        _R.sens.bitwise_and(_HIDING) == 0,
    )
    .order_by(_R.id)
    .limit(MOST_FOUND)
)


def count(connection: Connection, caller: str, now: int) -> int:
    """Count one look-up of a caller; return how many these are in the hour that `now` (ms) is in.

    To be run in a write transaction.
    """
    values = {"caller": caller, "hour": now // HOUR}
    counted: int = connection.execute(_COUNT, values).scalar_one()
    return counted


def find(
    connection: Connection, system: str, number: str, born: tuple[int, int]
) -> tuple[Stored, ...]:
    """Return the patients that have this identifier and were born then, `MOST_FOUND` at most.

    `born` are the microseconds [low, high) of a day. One statement that reads no body unless both
    agree, so that a number that is here takes no longer than one that is not. Deleted patients,
    and those with a security label beyond what is normal, are none.
    """
    hasher = of(connection).hasher
    low, high = born
    value = identifier_text(system, number)
    values = {"hash": hasher.once(number), "value": value, "low": low, "high": high}
    rows = connection.execute(_FOUND, values)
    return tuple(stored(connection, "Patient", id, row) for id, *row in rows)
