"""Keys that sign id_tokens: one for all processes, sealed, changed without breaking what is out."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import func, select

from auth.jose import keys
from auth.models import signing_key
from ehr.store.safe import Safe

if TYPE_CHECKING:
    from ehr.store.engine import Database

NOW = 1_900_000_000_000


def _signed(database: "Database", algorithm: str = "RS256", now: int = NOW) -> str:
    key = keys.signer(database, Safe(database), algorithm, now=now)
    header = {"alg": algorithm, "kid": str(key.kid)}
    return jwt.encode(header, {"iss": "us"}, key, algorithms=[algorithm])


def _served(database: "Database", now: int) -> KeySet:
    return KeySet.import_key_set({"keys": keys.public_keys(database, now=now)})


@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
def test_a_key_is_made_on_first_use_and_what_it_signs_can_be_checked(
    database: "Database", algorithm: str
) -> None:
    token = _signed(database, algorithm)

    read = jwt.decode(token, _served(database, NOW), algorithms=[algorithm])

    assert read.claims == {"iss": "us"}
    assert _signed(database, algorithm).split(".")[0] == token.split(".")[0]


def test_no_private_part_is_served_or_readable_in_the_database(database: "Database") -> None:
    _signed(database)
    _signed(database, "ES384")

    with database.read() as connection:
        rows = connection.execute(select(signing_key)).all()

    private = {"d", "p", "q", "dp", "dq", "qi"}
    assert all(not private & served.keys() for served in keys.public_keys(database, now=NOW))
    assert all(b'"d"' not in bytes(row.private) for row in rows)
    assert all(not private & json.loads(row.public).keys() for row in rows)


def test_t13_other_algorithms_have_no_key(database: "Database") -> None:
    with pytest.raises(ValueError, match="signs nothing here"):
        keys.signer(database, Safe(database), "HS256", now=NOW)


def test_processes_that_begin_at_once_agree_on_one_key(database: "Database") -> None:
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: _signed(database), range(4)))

    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(signing_key)).scalar()
    assert count == 1
    assert len({token.split(".")[0] for token in tokens}) == 1


def test_a_changed_key_signs_no_more_and_is_served_until_its_tokens_have_ended(
    database: "Database",
) -> None:
    before = _signed(database)

    (new,) = keys.rotate(database, Safe(database), now=NOW)
    after = _signed(database)

    assert jwt.decode(after, _served(database, NOW), algorithms=["RS256"]).header["kid"] == new.kid
    last = NOW + keys.LONGEST
    assert jwt.decode(before, _served(database, last), algorithms=["RS256"]).claims
    with pytest.raises((JoseError, ValueError)):
        jwt.decode(before, _served(database, last + 3_600_000), algorithms=["RS256"])


def test_lists_tell_what_became_of_a_key(database: "Database") -> None:
    _signed(database)
    keys.rotate(database, Safe(database), now=NOW + 5)

    with database.read() as connection:
        newest, oldest = keys.listed(connection)

    assert (newest.retired, newest.ends, newest.algorithm) == (None, None, "RS256")
    assert oldest.retired == NOW + 5
    assert oldest.ends is not None
    assert oldest.ends >= NOW + 5 + keys.LONGEST
