"""Second factors that are typed: codes of an app (TOTP, RFC 6238) and recovery codes.

A code of an app counts once, and in its own 30 seconds or those before and after. The secret is
sealed, since it must be read again. Recovery codes have 80 random bits and count once each.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

import pyotp
from sqlalchemy import Connection, delete, func, insert, select, update

from auth.apps.shown_texts import OWN_NAME
from auth.models import passkey, recovery_code, totp
from auth.surroundings import Surroundings

STEP = 30_000
RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Factors:
    """Which second factors a user has."""

    totp: bool
    passkeys: int
    recovery_codes: int

    def __bool__(self) -> bool:
        return self.totp or self.passkeys > 0


def factors_of(connection: Connection, user_id: str) -> Factors:
    """Return which second factors a user has set up."""
    has_totp = connection.execute(
        select(totp.c.user_id).where(totp.c.user_id == user_id, totp.c.confirmed.is_not(None))
    ).one_or_none()
    keys = connection.execute(
        select(func.count()).select_from(passkey).where(passkey.c.user_id == user_id)
    ).scalar_one()
    unused = (recovery_code.c.user_id == user_id) & recovery_code.c.used.is_(None)
    codes = connection.execute(
        select(func.count()).select_from(recovery_code).where(unused)
    ).scalar_one()
    return Factors(has_totp is not None, keys, codes)


def new_secret() -> str:
    """Return a fresh secret for an app, as it is typed or read from a picture."""
    return pyotp.random_base32(32)


def address_of(secret: str, login: str) -> str:
    """Return what the picture for the app says (otpauth)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=OWN_NAME)


def matching_step(secret: str, code: str, now: int) -> int | None:
    """Return the 30 seconds that a code belongs to; None where it is wrong or stale."""
    plain = re.sub(r"[\s-]", "", code)
    app = pyotp.TOTP(secret)
    for step in (now // STEP, now // STEP - 1, now // STEP + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), plain.encode()):
            return step
    return None


def set_totp(
    connection: Connection, surroundings: Surroundings, user_id: str, secret: str, step: int
) -> None:
    """Keep the secret of an app that just gave the right code of this step."""
    now = surroundings.clock()
    remove_totp(connection, user_id)
    connection.execute(
        insert(totp).values(
            user_id=user_id,
            secret=surroundings.safe.seal(secret.encode()),
            created=now,
            confirmed=now,
            last_step=step,
        )
    )


def remove_totp(connection: Connection, user_id: str) -> bool:
    """Forget a user's app; tell whether there was one."""
    return connection.execute(delete(totp).where(totp.c.user_id == user_id)).rowcount > 0


def use_totp(surroundings: Surroundings, user_id: str, code: str) -> bool:
    """Tell whether this is the app's code of now, and has not been used before."""
    with surroundings.store.read() as connection:
        sealed = connection.execute(
            select(totp.c.secret).where(totp.c.user_id == user_id, totp.c.confirmed.is_not(None))
        ).scalar_one_or_none()
    if sealed is None:
        return False
    secret = surroundings.safe.unseal(sealed).decode()
    step = matching_step(secret, code, surroundings.clock())
    if step is None:
        return False
    unused = (totp.c.user_id == user_id) & (totp.c.last_step < step)

    def work(connection: Connection) -> bool:
        return connection.execute(update(totp).where(unused).values(last_step=step)).rowcount == 1

    return surroundings.store.write(work)


def new_recovery_codes(
    connection: Connection, surroundings: Surroundings, user_id: str
) -> list[str]:
    """Give a user fresh recovery codes in place of those before; they can't be shown again."""
    remove_recovery_codes(connection, user_id)
    codes = [secrets.token_hex(10) for _ in range(RECOVERY_CODES)]
    for code in codes:
        values = {"code_hash": _hash(surroundings, user_id, code), "user_id": user_id, "used": None}
        connection.execute(insert(recovery_code).values(values))
    return ["-".join(code[at : at + 5] for at in range(0, len(code), 5)) for code in codes]


def remove_recovery_codes(connection: Connection, user_id: str) -> None:
    """Forget a user's recovery codes."""
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))


def use_recovery_code(surroundings: Surroundings, user_id: str, code: str) -> bool:
    """Tell whether this is a recovery code of the user that has not been used before."""
    plain = re.sub(r"[^0-9a-f]", "", code.lower())
    mine = recovery_code.c
    unused = (mine.code_hash == _hash(surroundings, user_id, plain)) & mine.used.is_(None)
    now = surroundings.clock()

    def work(connection: Connection) -> bool:
        return (
            connection.execute(update(recovery_code).where(unused).values(used=now)).rowcount == 1
        )

    return surroundings.store.write(work)


def _hash(surroundings: Surroundings, user_id: str, code: str) -> str:
    key = surroundings.safe.signing_key("recovery codes")
    return hmac.new(key, f"{user_id} {code}".encode(), sha256).hexdigest()
