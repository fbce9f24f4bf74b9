"""Rules that one type has alone, of people only.

`Patient.address` of a record that is marked sensitive; whether what a patient reported is final;
evidence for a Consent that staff record; to whom the owner of a Task may pass it on. Journeys
J4, J5 and J8.
"""

from collections.abc import Callable, Iterator, Mapping

from auth.elements.facts import Case, Fault
from auth.elements.reading import changed, codes, name_of, word

SEALED = frozenset({"R", "V"})
FINAL = frozenset({"final", "amended", "corrected"})
REPORTED = "patient-reported"
EVIDENCE = ("sourceAttachment", "sourceReference", "verification")
# States of a Task in which whoever asked may still ask somebody else.
UNANSWERED = frozenset({"draft", "requested", "received"})
_OUTSIDE = frozenset(
    {"Organization", "HealthcareService", "CareTeam", "Patient", "RelatedPerson", "Device"}
)


def particular_faults(case: Case) -> Iterator[Fault]:
    """Yield what is wrong by the rules of one type."""
    rule = _RULES.get(case.type)
    if rule is not None:
        yield from rule(case)


def _address(case: Case) -> Iterator[Fault]:
    is_frozen = case.before is not None and not SEALED.isdisjoint(
        codes(case.before, "meta.security")
    )
    if is_frozen and case.writer.role != "admin" and "address" in changed(*_pair(case)):
        text = "This record is marked sensitive: its address is changed by the register only."
        yield Fault("Patient.address", text, 403, "forbidden")


def _reported(case: Case) -> Iterator[Fault]:
    told = (word(case.after.get("status")), REPORTED in codes(case.after, "meta.tag"))
    stood = (word(case.was("status")), REPORTED in codes(case.before, "meta.tag"))
    if told != stood and told[1] and told[0] in FINAL:
        text = (
            "What a patient reported is not final. Send it as preliminary; whoever verifies it "
            "makes an Observation of their own."
        )
        yield Fault("Observation.status", text, 422, "business-rule")


def _evidence(case: Case) -> Iterator[Fault]:
    is_recorded = case.writer.kind == "professional"
    if is_recorded and not any(case.after.get(element) for element in EVIDENCE):
        text = "Another's choice is recorded with its evidence: `source[x]` or `verification`."
        yield Fault("Consent", text, 422, "business-rule")


def _passing_on(case: Case) -> Iterator[Fault]:
    if case.before is None or not case.was("owner") or "owner" not in changed(*_pair(case)):
        return
    name = name_of(case.after.get("owner"), case.bases)
    if name in case.writer.names:
        return
    if "requester" in case.held and word(case.was("status")) in UNANSWERED:
        return
    if "owner" not in case.held or name is None or name.partition("/")[0] in _OUTSIDE:
        text = (
            "A Task that somebody has taken on is passed on by its owner, inside their own "
            "organisation. Cancel it and ask anew."
        )
        yield Fault("Task.owner", text, 403, "forbidden")


def _pair(case: Case) -> tuple[dict[str, object], dict[str, object]]:
    return case.before or {}, case.after


_RULES: Mapping[str, Callable[[Case], Iterator[Fault]]] = {
    "Patient": _address,
    "Observation": _reported,
    "Consent": _evidence,
    "Task": _passing_on,
}
