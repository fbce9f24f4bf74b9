"""Who signs in to the demo: people of Mary Murray's care, an app and a system.

Passwords, secrets and the system's key are made for each demo and kept in two files beside its
database, for this account of the machine alone.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey

from auth.apps import clients
from auth.sign_in import credentials, one_time_codes, users
from auth.sign_in.users import Role
from ehr.app import surroundings_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.record import Record

APP, SYSTEM = "demo-app", "demo-system"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_USER_SCOPE = (
    "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)
_REDIRECTS = ("http://127.0.0.1/callback", "http://localhost/callback")


@dataclass(frozen=True, slots=True)
class Persona:
    """One person who signs in to the demo."""

    login: str
    name: str
    what: str
    kind: str
    fhir_user: str
    roles: tuple[Role, ...] = ()
    patients: tuple[str, ...] = ()


PEOPLE = (
    Persona(
        "anna.reid", "Dr Anna Reid", "GP", "professional", "Practitioner/anna-reid",
        (Role("gp", "GP at Leith Walk Surgery", "leith-walk-surgery", manages=True),),
    ),
    Persona(
        "priya.nair", "Dr Priya Nair", "consultant", "professional", "Practitioner/priya-nair",
        (Role("consultant", "Consultant at Forth Infirmary", "forth-infirmary"),),
    ),
    Persona(
        "tom.baird", "Tom Baird", "social worker", "professional", "Practitioner/tom-baird",
        (
            Role(
                "social-worker",
                "Social worker at North Edinburgh Social Work",
                "north-edinburgh-social-work",
            ),
        ),
    ),
    Persona(
        "una.doyle", "Una Doyle", "privacy officer", "professional", "Practitioner/una-doyle",
        (Role("privacy-officer", "Privacy officer at Forth Infirmary", "forth-infirmary"),),
    ),
    Persona(
        "mary.murray", "Mary Murray", "patient", "patient", "Patient/mary-murray",
        patients=("mary-murray",),
    ),
    Persona(
        "iain.murray", "Iain Murray", "her son", "carer", "RelatedPerson/iain-murray",
        patients=("mary-murray",),
    ),
)  # fmt: skip


def files(database: Path) -> tuple[Path, Path]:
    """Return where the access to a demo is kept: what people sign in by, and the system's key."""
    return (
        database.with_name(f"{database.stem}-access.json"),
        database.with_name(f"{database.stem}-key.json"),
    )


def read(database: Path) -> dict[str, Any] | None:
    """Return how to sign in to a demo; None where that is not kept."""
    access, key = files(database)
    if not access.is_file() or not key.is_file():
        return None
    kept: dict[str, Any] = json.loads(access.read_text("utf-8"))
    return kept


def make(record: "Record", database: Path) -> dict[str, Any]:
    """Let everybody sign in to a demo by new passwords and keys; keep and return these."""
    access, key_file = files(database)
    key = ECKey.generate_key("P-384", {"kid": "demo", "alg": "ES384", "use": "sig"})
    people = [_signing_in(record, persona) for persona in PEOPLE]
    public = {"keys": [key.as_dict(private=False)]}
    record.database.write(lambda connection: _register(connection, record.clock(), public))
    _keep(key_file, {"keys": [key.as_dict(private=True)]})
    made = {"people": people, "app": APP, "system": SYSTEM, "redirects": list(_REDIRECTS)}
    _keep(access, made)
    return made


def _signing_in(record: "Record", persona: Persona) -> dict[str, Any]:
    surroundings, now = surroundings_of(record), record.clock()
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))
    hashed = credentials.hash_of(password)
    secret = one_time_codes.new_secret() if persona.kind == "professional" else None

    def work(connection: "Connection") -> None:
        known = users.find_login(connection, persona.login, now)
        user = known or users.create(
            connection,
            kind=persona.kind,
            login=persona.login,
            name=persona.name,
            fhir_user=persona.fhir_user,
            now=now,
            roles=persona.roles,
            patients=persona.patients,
        )
        credentials.set_hash(connection, user.id, hashed, now)
        if secret is not None:
            one_time_codes.set_totp(connection, surroundings, user.id, secret, 0)

    record.database.write(work)
    return {
        "login": persona.login,
        "name": persona.name,
        "what": persona.what,
        "password": password,
        "secret": secret,
    }


def _register(connection: "Connection", now: int, keys: Mapping[str, Any]) -> None:
    if clients.find(connection, APP) is None:
        clients.create(
            connection, id=APP, name="Demo app", auth_method="none", scope=_USER_SCOPE, now=now,
            redirect_uris=_REDIRECTS, logout_uris=_REDIRECTS, verified=True,
            launch_uri="http://127.0.0.1:8765/launch",
        )  # fmt: skip
    if clients.find(connection, SYSTEM) is not None:
        clients.change(connection, SYSTEM, now=now, jwks=keys)
        return
    clients.create(
        connection, id=SYSTEM, name="Demo system", auth_method="private_key_jwt",
        scope="system/*.cruds", now=now, grant_types=("client_credentials",), jwks=keys,
        verified=True,
    )  # fmt: skip


def _keep(path: Path, value: Any) -> None:
    """Write a file that no other account of the machine may read, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
    part.replace(path)
