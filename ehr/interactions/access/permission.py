"""Whether scopes permit a write: judged on the row as it stands and on what it becomes.

A row that the caller may not see is not there, with the answer of one that never was. Who does not
see every row of a type does not choose ids in it either: a PUT would tell which are taken. What is
written stays within the patients whom the scopes mean, so nothing is moved to another.
"""

from typing import TYPE_CHECKING

from auth.policy import decide_scopes
from auth.rights import CONTEXT, EVERYBODY, OF_AUDIT, OWN, Rule, is_judged, rules
from ehr.access.filters import met_by
from ehr.access.instance import is_permitted, owns, reaches
from ehr.access.judging import seen
from ehr.access.rows import PERSONAL
from ehr.errors import Forbidden, NotFound, lacking
from ehr.interactions.access.judgement import Judgement
from ehr.interactions.changes import Change
from ehr.interactions.drafting import reindex
from ehr.patches.conditions import asks
from ehr.record import Record
from ehr.store.drafts import Current, Draft, Method, Written
from fhir_profiles.facets import NORMAL
from fhir_profiles.owners import SHARED

if TYPE_CHECKING:
    from auth.principal import Principal

_LETTERS = {Method.POST: "c", Method.PUT: "u", Method.PATCH: "u", Method.DELETE: "d"}


def may_write(
    record: Record,
    principal: "Principal",
    change: Change,
    row: Current,
    judgement: Judgement | None = None,
) -> bool:
    """Tell whether a row may be changed so. Raises Forbidden for one that may only be read."""
    database = record.database
    if judgement is not None:
        return _may_by_role(principal, change, row, judgement)
    if principal.scopes is None:
        is_there = owns(database, principal, row.patient_key)
        if is_there and change.method is Method.DELETE:
            _refuse_tampering(change)
        return is_there
    if _is_sealed(row) and not _is_entered_by(row, principal):
        place = (row.patient_key, row.rid)
        with database.read() as connection:
            if not seen(connection, database, principal, {place: row.type}):
                return False
    letter = _LETTERS[change.method]
    if not _covers(record, principal, letter, row):
        if not _covers(record, principal, "r", row) and not _covers(record, principal, "s", row):
            return False
        raise refused(principal, letter, change)
    # What a patch asks by whether it fits is read.
    if _asks(change) and not _covers(record, principal, "r", row):
        raise refused(principal, "r", change)
    return True


def _may_by_role(
    principal: "Principal", change: Change, row: Current, judgement: Judgement
) -> bool:
    name = (row.type, row.id)
    if name not in judgement.seen:
        return False
    if not judgement.may_change(name):
        raise refused(principal, _LETTERS[change.method], change)
    # What a patch asks by whether it fits is read.
    if _asks(change) and name not in judgement.read:
        raise refused(principal, "r", change)
    return True


def _is_entered_by(row: Current, principal: "Principal") -> bool:
    here = principal.organisation
    return here is not None and row.author_organisation == here


def _is_sealed(row: Current) -> bool:
    return row.conf > NORMAL or bool(row.sens & PERSONAL)


def _asks(change: Change) -> bool:
    is_document = change.method is Method.PATCH and change.edit is None
    return is_document and change.document is not None and asks(change.document.raw)


def refused(principal: "Principal", letter: str, change: Change) -> Forbidden:
    """Return the refusal of a change that lacks a scope."""
    decision = decide_scopes(principal, letter, change.type, change.method.name)
    reason = decision.reason if not decision.permit else (
        f"The token and your role permit to change some {change.type}, but not this one."
    )  # fmt: skip
    return lacking(reason, decision.scope, change.expression)


def refuse_choosing(principal: "Principal", change: Change, id: str, row: Current | None) -> None:
    """Raise NotFound where a change names what is not there, for a caller who sees only some."""
    if row is not None or principal.scopes is None:
        return
    some = rules(principal, _LETTERS[change.method])
    if is_judged(principal) and change.type not in SHARED:
        some = ()
    if not any(_is_whole(rule, change.type) for rule in some):
        raise NotFound(f"There is no {change.type}/{id}.", expression=change.expression)


def check_result(
    record: Record, principal: "Principal", change: Change, draft: Draft | None, row: Current | None
) -> None:
    """Raise Forbidden for what a write would make, if it is beyond the caller's scopes."""
    if row is not None and draft is not None and draft.stored != row.stored:
        _refuse_tampering(change)
    if principal.scopes is None or draft is None:
        return
    if is_judged(principal):
        return  # once it is written: `judgement.py`
    letters = {_LETTERS[change.method]}
    if row is None and change.criteria is not None:
        letters.add("c")  # it found nothing, so that it creates
    for letter in sorted(letters):
        if not _permits_result(record, principal, letter, draft, row):
            raise _beyond(principal, letter, change)


def may_show(record: Record, principal: "Principal", written: Written) -> bool:
    """Tell whether a write may be answered with the whole resource: who patches may not read."""
    if principal.scopes is None:
        return True
    if is_judged(principal):
        place = (written.patient_key, written.rid)
        with record.database.read() as connection:
            return bool(seen(connection, record.database, principal, {place: written.type}, "r"))
    at = (written.type, written.patient_key, written.id)
    return is_permitted(record.database, principal, *at) is True


def _covers(record: Record, principal: "Principal", letter: str, row: Current) -> bool:
    known = is_permitted(
        record.database, principal, row.type, row.patient_key, row.id, letters=letter
    )
    if known is not None:
        return known
    if row.deleted or row.type == "Binary":
        return False
    made, hasher = reindex(record, row), record.database.hasher
    return any(
        rule.concerns(row.type) and met_by(hasher, rule.filter, made)
        for rule in rules(principal, letter)
        if reaches(record.database, principal, rule, row.patient_key)
    )


def _permits_result(
    record: Record, principal: "Principal", letter: str, draft: Draft, row: Current | None
) -> bool:
    hasher = record.database.hasher
    return any(
        rule.concerns(draft.type)
        and _is_of(principal, rule, draft, row)
        and met_by(hasher, rule.filter, draft.rows)
        for rule in rules(principal, letter)
    )


def _is_of(principal: "Principal", rule: Rule, draft: Draft, row: Current | None) -> bool:
    """Tell whether what is written will be of those whom a rule means."""
    if rule.whose == EVERYBODY:
        return True
    if draft.type in SHARED:
        return False
    if draft.type == "Patient":
        # A new patient is nobody whom the scopes could have meant.
        owner = row.id if row is not None else None
    else:
        kind, _, id = (draft.owner or "").partition("/")
        owner = id.partition("/")[0] if kind == "Patient" else None
    mine = {CONTEXT: (principal.patient,), OWN: principal.patients}.get(rule.whose, ())
    return owner is not None and owner in mine


def _is_whole(rule: Rule, type: str) -> bool:
    return rule.whose == EVERYBODY and not rule.filter and not rule.words and rule.concerns(type)


def _beyond(principal: "Principal", letter: str, change: Change) -> Forbidden:
    decision = decide_scopes(principal, letter, change.type, change.method.name)
    if not decision.permit:
        return refused(principal, letter, change)
    return Forbidden(
        f"The scopes of the token permit to write some {change.type}, but not this one: they are "
        "for other patients, or for other content. Name the patient of the token.",
        expression=change.expression,
    )


def _refuse_tampering(change: Change) -> None:
    """Raise Forbidden for a change of evidence: whoever may write it adds to it."""
    if change.type in OF_AUDIT:
        raise Forbidden(
            f"Nobody changes or deletes an {change.type}: it says what was done. Create another.",
            expression=change.expression,
        )
