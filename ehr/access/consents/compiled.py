"""From an active Consent to its rules, or to the reasons why it can't be obeyed. Pure.

R4 §6.2 (Consent), shaped as IHE Privacy Consent on FHIR; ehr/README.md. The root is a
denial with exceptions, or a permission with denials, which have exceptions. Deeper nesting, and
whatever rules can't say exactly, is a problem: the write is refused, nothing is obeyed by half. A
permission alone opens nothing: sharing rests on relationships.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ehr.access.consents.conditions import Conditions, conditions
from ehr.access.consents.kinds import SCOPE, is_active, is_proxy, names_access, purpose
from ehr.access.consents.model import CannotObey, ConsentRule, Problem
from ehr.access.consents.proxies import proxy_problems
from ehr.access.terms import Resource, Terms, extension, parts
from fhir_profiles.own_names import BREAK_GLASS_ALLOWED

_AT = "Consent.provision"
_POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_OF_POLICY = {"OPTIN": "permit", "OPTINR": "permit", "OPTOUT": "deny", "OPTOUTE": "deny"}
# Members of a root that may stand without a type: the policy tells what it is.
_SAYS_NOTHING = frozenset({"id", "extension", "period", "provision"})


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of a Consent; none where it has problems or is not active."""

    rules: tuple[ConsentRule, ...] = ()
    problems: tuple[Problem, ...] = ()


def compiled(consent: Resource, terms: Terms) -> Compiled:
    """Return what a Consent says. Drafts and withdrawn ones have neither rules nor problems."""
    if not is_active(consent):
        return Compiled()
    strange = (*_strange(consent), *_unheard(consent))
    faults = strange or (proxy_problems(consent, terms) if is_proxy(consent) else ())
    if faults:
        return Compiled(problems=faults)
    try:
        return Compiled(tuple(dict.fromkeys(_rules(consent, terms))))
    except CannotObey as refused:
        return Compiled(problems=(refused.problem,))


def _strange(consent: Resource) -> Iterator[Problem]:
    """Yield what changes the meaning of all else, which nobody may pass over (R4 §2.1.0.1.5)."""
    for name in ("modifierExtension", "implicitRules"):
        if name in consent:
            yield Problem(f"Consent.{name}", "It changes what the Consent means. Leave it out.")


def _unheard(consent: Resource) -> Iterator[Problem]:
    """Yield a scope of access that is not in its system: it would be kept and not obeyed."""
    if purpose(consent) is None and names_access(consent):
        yield Problem("Consent.scope", f"Say the system of the scope: {SCOPE}.")


def problems(consent: Resource, terms: Terms) -> tuple[Problem, ...]:
    """Return why a Consent can't be obeyed exactly; none where it can."""
    return compiled(consent, terms).problems


def rules_of(consent: Resource, terms: Terms) -> tuple[ConsentRule, ...]:
    """Return the rules of a Consent, denials before their exceptions."""
    return compiled(consent, terms).rules


def _rules(consent: Resource, terms: Terms) -> Iterator[ConsentRule]:
    meant = "" if is_proxy(consent) else purpose(consent)
    if meant is None:
        return
    root = consent.get("provision") or {}
    effect = "permit" if is_proxy(consent) else _effect(consent, root)
    group = 0
    for provision, outer, at in _denials(consent, root, effect, terms):
        own = conditions(provision, terms, at, permits=False).within(outer, at)
        if own is None:
            continue
        if meant and own.purposes is None:
            own = own.within(Conditions(purposes=(meant,)), at)
        group += 1
        lifted = _may_be_lifted(consent, provision, at)
        if own is not None:
            yield from own.rules(ConsentRule(group, may_be_lifted=lifted), at)
            yield from _exceptions(provision, terms, group, own, at)


def _effect(consent: Resource, root: Resource) -> str:
    """Return what the root says: by its type, or by the policy that is the base."""
    told = [
        _OF_POLICY[one["code"]]
        for one in parts(consent.get("policyRule") or {}, "coding")
        if one.get("system") == _POLICY and one.get("code") in _OF_POLICY
    ]
    if "type" not in root and (root.keys() - _SAYS_NOTHING or (root and not told)):
        # R4's own examples mean "not these" by it, others "these": nobody can tell.
        raise CannotObey(f"{_AT}.type", "Say whether it denies or permits.")
    if not root and not told:
        raise CannotObey(_AT, "It says nothing that can be obeyed. Say whom or what it denies.")
    return str(root.get("type") or next(iter(told), "permit"))


def _denials(
    consent: Resource, root: Resource, effect: str, terms: Terms
) -> Iterator[tuple[Resource, Conditions, str]]:
    """Yield each provision that denies, what it is nested in asks, and its place."""
    if effect == "deny":
        yield root, Conditions(), _AT
        return
    nested = [
        (one, f"{_AT}.provision[{n}]")
        for n, one in enumerate(parts(root, "provision"))
        if one.get("type") == "deny"
    ]
    if nested:
        outer = _of_proxy(root, terms) if is_proxy(consent) else _of_root(root, terms)
        yield from ((one, outer, at) for one, at in nested)


def _of_root(root: Resource, terms: Terms) -> Conditions:
    return conditions(root, terms, _AT, permits=True)


def _of_proxy(root: Resource, terms: Terms) -> Conditions:
    """What is kept back from carers is kept back from those named, as long as they are carers."""
    actors = [{"reference": one.get("reference")} for one in parts(root, "actor")]
    named: Resource = {"actor": actors}
    if "period" in root:
        named["period"] = root["period"]
    return conditions(named, terms, _AT, permits=True)


def _exceptions(
    denial: Resource, terms: Terms, group: int, outer: Conditions, at: str
) -> Iterator[ConsentRule]:
    for n, one in enumerate(parts(denial, "provision")):
        place = f"{at}.provision[{n}]"
        if one.get("type") != "permit":
            raise CannotObey(f"{place}.type", "What is nested in a denial only permits.")
        if parts(one, "provision"):
            raise CannotObey(f"{place}.provision", "Exceptions of exceptions can't be obeyed.")
        own = conditions(one, terms, place, permits=True)
        spared = own.within(Conditions(period=outer.period), place)
        if spared is not None:
            yield from spared.rules(ConsentRule(group, is_exception=True), place)


def _may_be_lifted(consent: Resource, provision: Resource, at: str) -> bool:
    """Tell whether break-glass may: unless the patient says no, on the denial or on the whole."""
    for element, place in ((provision, at), (consent, "Consent")):
        told = extension(element, BREAK_GLASS_ALLOWED)
        if told is not None:
            if not isinstance(told, bool):
                raise CannotObey(f"{place}.extension", "breakGlassAllowed is a valueBoolean.")
            return told
    return True
