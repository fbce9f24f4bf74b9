"""What one provision of a Consent asks of caller and row: lists, any of each of which will do.

R4 §6.2.4 (Consent.provision). Raises CannotObey for what no rule can say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import product
from typing import TypeVar

from auth.purposes import KNOWN
from ehr.access.consents.model import HIGHEST, LOWEST, CannotObey, ConsentRule
from ehr.access.terms import ALWAYS, FOREVER, Interval, Resource, Terms, joint, parts, type_named
from fhir_profiles.definitions import resource_types
from fhir_profiles.facets import BITS, CONFIDENTIALITY, PRIVACY_GROUPS
from fhir_profiles.own_names import PRIVACY_GROUP, SENSITIVITY

T = TypeVar("T")
TYPES = "http://hl7.org/fhir/resource-types"
_LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ALL_TYPES = frozenset(resource_types())

# Whoever is named without a type may be a person.
PERSONS = frozenset({"Practitioner", "PractitionerRole", "RelatedPerson", ""})
_ACTORS = PERSONS | {"Organization"}
# Roles of who receives data (v3-ParticipationType, PRCP is IHE's; R4's security-role-type).
_RECIPIENTS = frozenset({"PRCP", "IRCP", "RCV", "TRC", "GRANTEE", "DELEGATEE"})
_READING = frozenset({"access", "use", "disclose"})
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all must be met; None where a provision does not ask."""

    actors: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    codes: tuple[tuple[str, str], ...] | None = None
    labels: tuple[tuple[int, int, int], ...] | None = None  # least, most, bits
    items: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    period: Interval = (ALWAYS, FOREVER)

    def within(self, outer: "Conditions", at: str) -> "Conditions | None":
        """Return what both ask; None where there is no time for it. Raises CannotObey."""
        period = joint(self.period, outer.period)
        if period is None:
            return None
        made = replace(self, period=period)
        for one in fields(self):
            theirs = getattr(outer, one.name)
            if one.name == "period" or theirs is None:
                continue
            if getattr(self, one.name) is not None:
                raise CannotObey(at, f"It and what it is nested in both limit {one.name}.")
            made = replace(made, **{one.name: theirs})
        return made

    def rules(self, like: ConsentRule, at: str) -> Iterator[ConsentRule]:
        """Yield a rule for each combination. Raises CannotObey for more than a thousand."""
        lists = [getattr(self, one.name) or (None,) for one in fields(self) if one.name != "period"]
        count = 1
        for some in lists:
            count *= len(some)
        if count > _MOST_ROWS:
            raise CannotObey(at, f"It combines to more than {_MOST_ROWS} rules. Name fewer.")
        for actor, type, code, label, item, purpose in product(*lists):
            least, most, sens = label or (LOWEST, HIGHEST, 0)
            system, symbol = code or ("", "")
            is_person = actor is not None and type_named(actor) in PERSONS
            yield replace(
                like, actor=actor or "", type=type or "", system=system, code=symbol, least=least,
                most=most, sens=sens, item=item or "", purpose=purpose or "",
                from_=self.period[0], to=self.period[1],
                spares_authors=not is_person, may_be_lifted=like.may_be_lifted and not is_person,
            )  # fmt: skip


def conditions(provision: Resource, terms: Terms, at: str, *, permits: bool) -> Conditions:
    """Return what a provision asks. Raises CannotObey."""
    _check_actions(provision, at, permits=permits)
    for name in ("dataPeriod", "modifierExtension"):
        if name in provision:
            raise CannotObey(f"{at}.{name}", f"{name} can't be obeyed here.")
    period = terms.period(provision.get("period"))
    if period is None:
        raise CannotObey(f"{at}.period", "The period ends before it begins.")
    labels = _list(provision, "securityLabel", at, partial(_label, permits=permits))
    if permits and labels is not None and len(labels) > 1:
        raise CannotObey(f"{at}.securityLabel", "Of an exception there may be one label only.")
    concepts = _list(provision, "code", at, _codes)
    return Conditions(
        _list(provision, "actor", at, partial(_actor, terms)),
        _list(provision, "class", at, _type),
        None if concepts is None else tuple(code for some in concepts for code in some),
        labels,
        _list(provision, "data", at, partial(_item, terms)),
        _list(provision, "purpose", at, _purpose),
        period,
    )


def _list(
    provision: Resource, name: str, at: str, read: Callable[[Resource, str], T]
) -> tuple[T, ...] | None:
    if name not in provision:
        return None
    place = f"{at}.{name}"
    return tuple(dict.fromkeys(read(one, place) for one in parts(provision, name)))


def _check_actions(provision: Resource, at: str, *, permits: bool) -> None:
    """Rules are about seeing: to be kept from it is what `access` means."""
    told = {
        str(coding.get("code"))
        for one in parts(provision, "action")
        for coding in parts(one, "coding")
    }
    if "action" in provision and ("access" not in told or (told - _READING and not permits)):
        raise CannotObey(f"{at}.action", "Only access, with use and disclose, can be denied.")


def _actor(terms: Terms, actor: Resource, at: str) -> str:
    name = terms.name(actor.get("reference"), _ACTORS)
    if name is None:
        raise CannotObey(
            f"{at}.reference",
            "Name a person, a role or an organisation by a reference; of a team, those who are in "
            "it.",
        )
    role = actor.get("role")
    told = {str(one.get("code")) for one in parts(role, "coding")} if role else _RECIPIENTS
    if told.isdisjoint(_RECIPIENTS):
        raise CannotObey(f"{at}.role", "Only who receives data can be named: say so by PRCP.")
    return name


def _type(coding: Resource, at: str) -> str:
    code = coding.get("code")
    if coding.get("system") != TYPES or code not in _ALL_TYPES:
        raise CannotObey(at, f"Name a class of data by a code of {TYPES}.")
    return str(code)


def _codes(concept: Resource, at: str) -> tuple[tuple[str, str], ...]:
    found = [(one.get("system"), one.get("code")) for one in parts(concept, "coding")]
    if not found or not all(isinstance(part, str) for one in found for part in one):
        raise CannotObey(at, "Name what is meant by codes with their systems, not by words.")
    return tuple((str(system), str(code)) for system, code in found)


def _label(coding: Resource, at: str, *, permits: bool) -> tuple[int, int, int]:
    """A denial of a level denies what is above too, an exception permits what is below too."""
    system, code = coding.get("system"), str(coding.get("code"))
    if system == _LEVEL and code in CONFIDENTIALITY:
        level = CONFIDENTIALITY[code]
        return (LOWEST, level, 0) if permits else (level, HIGHEST, 0)
    bits = 0
    if system in (_ACT, SENSITIVITY):
        bits = BITS.get(code, 0)
    elif system == PRIVACY_GROUP:
        bits = PRIVACY_GROUPS.get(code, 0)
    if not bits:
        raise CannotObey(at, "The record has no such label or group of data.")
    return LOWEST, HIGHEST, bits


def _item(terms: Terms, one: Resource, at: str) -> str:
    name = terms.name(one.get("reference"), _ALL_TYPES)
    if one.get("meaning") != "instance" or name is None or "://" in name or "?" in name:
        raise CannotObey(at, "Name one item of this record, with the meaning `instance`.")
    return name


def _purpose(coding: Resource, at: str) -> str:
    if coding.get("system") != _REASON or coding.get("code") not in KNOWN:
        raise CannotObey(
            at,
            f"Name a purpose that callers have here, by a code of {_REASON}: "
            f"{', '.join(sorted(KNOWN))}. Emergencies are kept out by breakGlassAllowed.",
        )
    return str(coding["code"])
