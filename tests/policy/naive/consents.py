"""What patients take away: the denials in their Consents, and whether one hides a row.

A Consent is obeyed whole: ValueError for what is said by means that are not read here. The world
has none of it, and the server refuses most.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from tests.policy.naive.caller import names
from tests.policy.naive.labels import has_written, labels
from tests.policy.naive.moments import is_within
from tests.policy.naive.proxies import is_proxy
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import Resource, codes, extension, local, named, pairs
from tests.policy.naive.vocabulary import BREAK_GLASS_ALLOWED, GROUPS, PRIVACY_GROUP

_READ = {
    "type", "period", "actor", "class", "code", "securityLabel", "data", "extension", "provision",
    "action",
}  # fmt: skip
_LEVELS = "ULMNRV"
# Kinds of denial.
PERSON, ORGANISATION, GROUP, SHARING = "person", "organisation", "group", "sharing"


@dataclass(frozen=True, slots=True)
class Denial:
    """One provision that denies, what it is nested in, and whether broken glass may lift it."""

    provision: Resource
    actors: frozenset[str]
    may_be_lifted: bool

    @property
    def kind(self) -> str:
        """Which row of the table of denials it is."""
        if self.actors:
            are_places = all(name.startswith("Organization/") for name in self.actors)
            return ORGANISATION if are_places else PERSON
        return (
            GROUP if self.provision.keys() & {"class", "code", "securityLabel", "data"} else SHARING
        )


def consents_permit(question: Question, kinds: Set[str]) -> bool:
    """Tell whether no denial of the patient hides the row from the caller.

    `kinds` are all kinds of relationship that the caller has with the patient.
    """
    if question.caller.kind in ("patient", "system"):
        return True
    return not any(_hides(question, denial, kinds) for denial in denials(question))


def denials(question: Question) -> Iterator[Denial]:
    """Yield the denials in force of the patient whose row it is."""
    for row in question.record.of(question.row.patient, "Consent"):
        consent = row.document
        if consent["status"] != "active" or "patient-privacy" not in codes(consent, "scope"):
            continue
        root = consent.get("provision", {})
        nested = root.get("provision", [])
        if root.get("type") == "deny":
            found = [] if nested else [root]
            if nested:
                raise ValueError("exceptions to a denial")
        else:
            found = [one for one in nested if one.get("type") == "deny"]
        kept = (
            {local(one["reference"]) for one in root.get("actor", [])} if is_proxy(consent) else ()
        )
        if not is_within(root.get("period"), question.now):
            continue
        for one in found:
            if one.keys() - _READ or one.get("provision"):
                raise ValueError(sorted(one))
            if is_within(one.get("period"), question.now):
                actors = {local(actor["reference"]) for actor in one.get("actor", [])} or set(kept)
                yield Denial(one, _known(actors), _may_be_lifted(consent, one))


def _known(actors: set[str | None]) -> frozenset[str]:
    if None in actors:
        raise ValueError("an actor that no reference names")
    return frozenset(name for name in actors if name is not None)


def _may_be_lifted(consent: Resource, provision: Resource) -> bool:
    """`breakGlassAllowed` is on by default; what the provision says counts before the Consent."""
    told = extension(provision, BREAK_GLASS_ALLOWED) or extension(consent, BREAK_GLASS_ALLOWED)
    return told != [False]


def _hides(question: Question, denial: Denial, kinds: Set[str]) -> bool:
    if denial.actors:
        called = names(question.record, question.caller, question.now)
        if denial.actors.isdisjoint(called):
            return False
    if not _is_about(question, denial.provision):
        return False
    if denial.kind == PERSON:
        return True
    if has_written(question) or ("broken glass" in kinds and denial.may_be_lifted):
        return False
    if denial.kind in (GROUP, SHARING) and _is_safeguarding(question):
        return False
    return denial.kind != SHARING or question.row.type != "Patient"


def _is_safeguarding(question: Question) -> bool:
    """Safeguarding Flags stay open to social workers and GPs."""
    return (
        question.caller.role in ("social-worker", "gp")
        and question.row.type == "Flag"
        and "safeguarding" in codes(question.document, "category")
    )


def _is_about(question: Question, provision: Resource) -> bool:
    """Tell whether a provision speaks of a row: all that it names must be met, any of each list."""
    row, document = question.row, question.document
    if "class" in provision and row.type not in codes(provision, "class"):
        return False
    if "code" in provision:
        told = pairs(document, "category", "code", "type", "class")
        if told.isdisjoint(pairs(provision, "code")):
            return False
    if "securityLabel" in provision and labels(document).isdisjoint(_meant(provision)):
        return False
    if "data" in provision:
        if any(one["meaning"] != "instance" for one in provision["data"]):
            raise ValueError("data by another meaning than instance")
        return row.name in named(provision, "data.reference")
    return True


def _meant(provision: Resource) -> set[str]:
    """Return the labels that are meant: a level with all above it, a group with what is in it."""
    found: set[str] = set()
    for system, code in pairs(provision, "securityLabel"):
        if system == PRIVACY_GROUP:
            found |= GROUPS[code]
        elif code in _LEVELS:
            found |= set(_LEVELS[_LEVELS.index(code) :])
        else:
            found.add(code)
    return found
