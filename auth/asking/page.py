"""What the consent page shows, as text: which app, what it will see and do, for how long.

Everything a person reads before they decide is put together here, and nowhere in a template.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auth.apps import shown_texts
from auth.asking import choices
from auth.asking.choices import Offer
from auth.asking.kinds import listed
from auth.authorizing.authorization_request import AuthorizationRequest
from auth.scopes import Scopes

if TYPE_CHECKING:
    from auth.sign_in.users import User
    from auth.surroundings import Patient

_HOUR = "For up to one hour. After that it has to ask you again."
_UNLESS = "For up to one hour, or longer if you leave this ticked:"
_STAYS = {
    "offline_access": (
        "It can come back without you, until you stop it. "
        "It also ends if the app is not used for six months."
    ),
    "online_access": "It ends when you sign out here.",
}
_EVERYTHING = (
    "This app asks for everything, private and sensitive information included, "
    "and also for kinds of information that will be added in the future."
)
_EVERYBODY = (
    "This app asks for the records of everyone whose record you can open, not only of one person."
)


@dataclass(frozen=True, slots=True)
class Box:
    """One box to tick, with those that may be ticked in its place."""

    value: str
    text: str
    hint: str
    is_ticked: bool
    narrower: "tuple[Box, ...]" = ()
    narrowing: str = ""
    is_narrowed: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The boxes for one record, or for many."""

    heading: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """All that the page says of the app and its request."""

    heading: str
    app: str
    is_verified: bool
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    tells: str
    sections: tuple[Section, ...]
    lasting: str
    stay: Box | None


def asking(
    asked: AuthorizationRequest,
    may: Scopes,
    user: "User",
    *,
    patient: "Patient | None" = None,
    has_visit: bool = False,
    organisation: str | None = None,
    ticked: Collection[str] | None = None,
) -> Asking:
    """Return what is shown; `ticked` are the boxes that came back, none when first shown."""
    stay = choices.staying(may)
    return Asking(
        heading=_heading(asked.client.name, may, user, patient),
        app=asked.client.name,
        is_verified=asked.client.verified,
        facts=_facts(asked, organisation),
        warnings=_warnings(may, user),
        tells=_tells(may, has_visit=has_visit),
        sections=_sections(may, user, patient, ticked),
        lasting=_HOUR if stay is None else _UNLESS,
        stay=None if stay is None else _box(stay, ticked, _STAYS[stay.value]),
    )


def _heading(app: str, may: Scopes, user: "User", patient: "Patient | None") -> str:
    if patient is not None:
        return f"Allow {app} to use {_whose(user, patient)}?"
    if may.resources:
        return f"Allow {app} to use the records that you can open?"
    return f"Sign in to {app}?"


def _whose(user: "User", patient: "Patient") -> str:
    is_own = user.fhir_user == f"Patient/{patient.id}"
    return "your record" if is_own else f"the record of {patient.name}"


def _facts(asked: AuthorizationRequest, organisation: str | None) -> tuple[tuple[str, str], ...]:
    about = asked.client.about
    facts = [
        ("Registered by", _maker(asked, organisation)),
        ("Website", str(about.get("client_uri", ""))),
        ("Its privacy policy", str(about.get("policy_uri", ""))),
        ("You go back to", _place(asked.redirect_uri)),
    ]
    return tuple((name, text) for name, text in facts if text)


def _maker(asked: AuthorizationRequest, organisation: str | None) -> str:
    """Return who registered the app, by a name that is what it looks like."""
    named = (organisation, asked.client.publisher)
    return next((one for one in named if one and shown_texts.fault(one, 200) is None), "")


def _place(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return "an app on this device"
    on_device = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return "an app on this device" if on_device else str(parts.hostname)


def _warnings(may: Scopes, user: "User") -> tuple[str, ...]:
    offers = choices.offers(may)
    warnings = [_EVERYTHING] if any(offer.is_everything for offer in offers) else []
    if may.of("user") and (user.is_professional or len(user.patients) > 1):
        warnings.append(_EVERYBODY)
    return tuple(warnings)


def _tells(may: Scopes, *, has_visit: bool) -> str:
    tells = []
    if may.has("openid"):
        tells.append("that you signed in")
    if may.has("fhirUser", "profile"):
        tells.append("who you are")
    if may.has("launch/patient", "launch") or may.of("patient"):
        tells.append("whose record is open")
    if has_visit:
        tells.append("which visit is open")
    return listed(tells) if tells else ""


def _sections(
    may: Scopes, user: "User", patient: "Patient | None", ticked: Collection[str] | None
) -> tuple[Section, ...]:
    headings = {"user": "In every record that you can open"}
    if patient is not None:
        headings = {"patient": f"In {_whose(user, patient)}", **headings}
    offers = choices.offers(may)
    sections = (
        Section(heading, tuple(_box(each, ticked) for each in offers if _is_in(each, context)))
        for context, heading in headings.items()
    )
    return tuple(section for section in sections if section.boxes)


def _is_in(offer: Offer, context: str) -> bool:
    return offer.scope is not None and offer.scope.context == context


def _box(offer: Offer, ticked: Collection[str] | None, hint: str = "") -> Box:
    narrowing = ""
    if offer.narrower:
        narrowing = "Allow only some kinds" if offer.is_everything else "Allow only some of these"
    return Box(
        offer.value,
        offer.text,
        hint,
        is_ticked=ticked is None or offer.value in ticked,
        narrower=tuple(_narrower(each, ticked) for each in offer.narrower),
        narrowing=narrowing,
        is_narrowed=ticked is not None and any(each.value in ticked for each in offer.narrower),
    )


def _narrower(offer: Offer, ticked: Collection[str] | None) -> Box:
    return Box(offer.value, offer.text, "", is_ticked=ticked is not None and offer.value in ticked)
