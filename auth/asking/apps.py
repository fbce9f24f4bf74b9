"""Apps as people see them: those that can be started, and those that have access."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from auth.apps import clients
from auth.asking import choices
from auth.asking.people import day_of
from auth.authorizing.granted import Grant
from auth.scopes import Scopes


@dataclass(frozen=True, slots=True)
class StartableApp:
    """An app that can be started from the workspace."""

    id: str
    name: str
    launch_uri: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class AppWithAccess:
    """One grant: which app, since when, last used, what, of whom, for how long."""

    id: str
    name: str
    facts: tuple[tuple[str, str], ...]
    permits: tuple[str, ...]


_LASTING = {
    "offline": "Until you stop it, or it is not used for six months",
    "online": "Until you sign out",
    "none": "Up to one hour",
}


def startable(connection: Connection) -> list[StartableApp]:
    """Return the apps in use that say where they are started, in order of names."""
    return [
        StartableApp(one.id, one.name, one.launch_uri, one.verified)
        for one in clients.all_of(connection)
        if one.launch_uri and one.disabled is None
    ]


def with_access(grants: Sequence[Grant], patients: Mapping[str, str]) -> list[AppWithAccess]:
    """Return what a page says of grants; `patients` are the names of those in context, by id."""
    return [_app(grant, patients) for grant in grants]


def _app(grant: Grant, patients: Mapping[str, str]) -> AppWithAccess:
    facts = (
        ("Whose record", patients.get(grant.patient, "") if grant.patient else ""),
        ("Since", day_of(grant.created)),
        ("Last used", day_of(grant.used)),
        ("For how long", _LASTING[grant.lasting]),
    )
    return AppWithAccess(
        grant.id,
        grant.client_name,
        tuple((name, text) for name, text in facts if text),
        _permits(grant.scopes),
    )


def _permits(granted: Scopes) -> tuple[str, ...]:
    offers = choices.offers(granted)
    return tuple(dict.fromkeys(offer.text for offer in offers)) or ("Know who you are",)
