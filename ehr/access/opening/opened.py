"""Whether relationship, labels and consent open a patient's row, as SQL.

auth/README.md, *From the role to the row*, 2 to 4. Who is related how decides what labels let
through, so both are asked of the same relationship.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, FromClause, and_, false, literal, not_, or_

from ehr.access.consents.areas import AREAS, permit
from ehr.access.consents.denied import is_denied
from ehr.access.names import RIDS
from ehr.access.relationships.held import is_held, is_simply_held
from ehr.access.relationships.kinds import OF_STAFF, Ceiling, Kind
from ehr.access.rows import PERSONAL, Row, at_paths
from ehr.access.there import there_is
from ehr.access.words.parties import is_party
from ehr.store.pairs import among_few
from ehr.store.rows import MARKED
from ehr.store.tables import consent_rule, reference, relationship, token
from fhir_profiles.facets import LOCKED, NORMAL, NOT_FOR_PATIENT, RESTRICTED, mask
from fhir_profiles.own_names import READ, WRITE

_HELD = relationship.alias("held")
_ASKED = relationship.alias("asked")
_DONE = relationship.alias("done")
_GRANT = relationship.alias("grant_row")
_REVIEW, _REVIEWER = token.alias("review"), reference.alias("reviewer")
# Has no relationship with anybody: what is to be reviewed is seen all the same.
_WATCHES = "privacy-officer"
_PRACTICE = relationship.alias("practice")
_SIMPLE, _KEPT = relationship.alias("simple"), consent_rule.alias("kept")

# What whoever has done what was asked still sees for a while.
_OF_PLAN = ("CarePlan", "CareTeam", "Goal", "Task")
_OF_PARTIES = ("Appointment", "AppointmentResponse", "Communication", "ServiceRequest", "Task")
# Sensitivities that roles do not see, but in what their own organisation entered.
_BODY = mask("HIV", "STD", "SEX", "PSY", "GDIS")
_HABITS = mask("SUD", "ETH")
_HARM = mask("MH", "SDV", "VIO", "ADOL")
HIDDEN: Mapping[str, int] = {
    "urgent-care": _BODY,
    "social-worker": _BODY | _HABITS,
    "third-sector": _BODY | _HABITS | _HARM,
    "care-coordinator": _BODY | _HABITS | _HARM,
    "carer": _BODY | _HABITS | _HARM,
}
# What asks somebody, and has been done: other kinds open all that they do at once.
_ASKING = (Kind.REFERRAL,)
_OPENS_SEALED = (int(Kind.REGISTERED), int(Kind.BREAK_GLASS))
_NEVER_LOCKED = (int(Kind.SELF_CLAIMED), int(Kind.BREAK_GLASS))


def opened_to_staff(row: Row, role: str, *, whole: bool) -> ColumnElement[bool]:
    """Return the condition that a row is open to a professional whose role permits its type.

    `whole`: open with all its parts, not only with what is minimal.
    """
    ways = [_by_role(row)]
    if row.may_be(*_OF_PLAN):
        done = and_(
            is_held(_DONE, Ceiling.PLAN, row.caller, kinds=_ASKING),
            _DONE.c.patient_key == row.key,
        )
        ways.append(and_(row.is_of(*_OF_PLAN), _is_open_label(row), there_is(_DONE, done)))
    if row.may_be("Patient", *_OF_PARTIES):
        asked = and_(
            is_held(_ASKED, Ceiling.MINIMAL, row.caller, kinds=_ASKING),
            _ASKED.c.patient_key == row.key,
        )
        about = [row.is_of("Patient")] if row.may_be("Patient") and not whole else []
        if row.may_be(*_OF_PARTIES):
            about.append(is_party(row))
        if about:
            ways.append(and_(or_(*about), _is_open_label(row), there_is(_ASKED, asked)))
    if role == _WATCHES:
        ways += _under_review(row)
    parts = [or_(*ways), not_(is_denied(row, role))]
    hidden = HIDDEN.get(role, 0)
    if hidden:
        parts.insert(0, or_(not_(row.has_any(hidden)), row.is_entered_here()))
    return and_(*parts)


def _under_review(row: Row) -> list[ColumnElement[bool]]:
    """Return the conditions that a row is a review which is the caller's to do, or who it is of."""
    ways = []
    if row.may_be("Task"):
        is_review = and_(row.has_mark("review"), is_party(row))
        ways.append(and_(row.is_of("Task"), _is_open_label(row), is_review))
    if row.may_be("Patient"):
        of_patient = there_is(
            (_REVIEW, _REVIEWER),
            _REVIEW.c.patient_key == row.key,
            _REVIEW.c.param == MARKED,
            _REVIEW.c.code == row.hasher.once("review"),
            _REVIEWER.c.patient_key == _REVIEW.c.patient_key,
            _REVIEWER.c.rid == _REVIEW.c.rid,
            at_paths(_REVIEWER, ("Task.owner",)),
            among_few(_REVIEWER.c.target_rid, row.value(RIDS)),
        )
        ways.append(and_(row.is_of("Patient"), _is_open_label(row), of_patient))
    return ways


def _by_role(row: Row) -> ColumnElement[bool]:
    """Return the condition that a relationship opens a row as far as the role goes.

    What has no label any of them opens, which is asked once for all rows of a patient.
    """
    h = _HELD.c
    sealed = and_(row.conf <= RESTRICTED, h.kind.in_(_OPENS_SEALED))
    ways = [row.is_entered_here(), not_(row.is_sealed()), sealed]
    if row.may_be("Flag"):
        personal = or_(not_(row.has_any(PERSONAL)), h.kind == int(Kind.REGISTERED))
        locked = and_(row.conf == LOCKED, h.kind.not_in(_NEVER_LOCKED), personal)
        ways.append(and_(row.is_of("Flag"), locked))
    # Whoever claims to care for somebody sees what has no label.
    unlabelled = and_(row.is_plain(), row.sens == 0)
    labelled = there_is(
        _HELD,
        h.patient_key == row.key,
        is_held(_HELD, Ceiling.ROLE, row.caller, kinds=OF_STAFF),
        or_(*ways),
        or_(h.kind != int(Kind.SELF_CLAIMED), unlabelled),
        or_(h.kind != int(Kind.BREAK_GLASS), row.conf <= RESTRICTED),
    )
    return or_(and_(unlabelled, _is_simply_held(row)), labelled)


def is_simply_open(row: Row) -> ColumnElement[bool]:
    """Return a condition that most rows meet which are open to staff, and no others do, but for
    those that are labelled.

    The patient keeps nothing from anybody: to ask that takes a tenth of the time.
    """
    has_rules = there_is(_KEPT, _KEPT.c.patient_key == row.key_once)
    return and_(_is_simply_held(row), not_(has_rules))


def is_labelled(row: FromClause) -> ColumnElement[bool]:
    """Return the condition that somebody labelled a row: it is not open to all who are related."""
    return or_(row.c.conf > NORMAL, row.c.sens != 0)


def _is_simply_held(row: Row) -> ColumnElement[bool]:
    """Return the condition that there is a relationship which rests on nothing else."""
    return there_is(
        _SIMPLE, _SIMPLE.c.patient_key == row.key_once, is_simply_held(_SIMPLE, row.caller)
    )


def _is_open_label(row: Row) -> ColumnElement[bool]:
    return or_(row.is_entered_here(), not_(row.is_sealed()))


def opened_to_system(row: Row) -> ColumnElement[bool]:
    """Return the condition that labels open a row to a system, which needs no relationship.

    What is sealed is for the organisation that entered it and the registered practice.
    """
    practice = there_is(
        _PRACTICE,
        _PRACTICE.c.patient_key == row.key,
        is_held(_PRACTICE, Ceiling.ROLE, row.caller, kinds=(Kind.REGISTERED,)),
    )
    to_practice = [row.conf <= RESTRICTED]
    if row.may_be("Flag"):
        to_practice.append(row.is_of("Flag"))
    sealed = and_(or_(*to_practice), practice)
    return or_(not_(row.is_sealed()), row.is_entered_here(), sealed)


def opened_to_patient(row: Row) -> ColumnElement[bool]:
    """Return the condition that a patient may see a row of the own record."""
    return and_(not_(row.is_locked()), not_(row.has_any(NOT_FOR_PATIENT)), row.is_out())


def opened_to_carer(row: Row, *, writes: bool) -> ColumnElement[bool]:
    """Return the condition that the grant by which a carer acts opens a row to reading, or writing.

    The type decides, which is in areas that the grant names.
    """
    types = row.types or frozenset(type for some in AREAS.values() for type in some)
    action = WRITE if writes else READ
    ways = []
    for area, of in AREAS.items():
        here = sorted(of & types)
        if here:
            ways.append(and_(row.is_of(*here), _permits(permit(action, area))))
    if not ways:
        return false()
    g = _GRANT.c
    granted = there_is(
        _GRANT,
        g.patient_key == row.key,
        is_held(_GRANT, Ceiling.MINIMAL, row.caller, kinds=(Kind.PROXY,)),
        or_(*ways),
    )
    return and_(
        row.is_plain(),
        not_(row.has_any(HIDDEN["carer"] | NOT_FOR_PATIENT | PERSONAL)),
        row.is_out(),
        granted,
        not_(is_denied(row, "carer")),
    )


def _permits(word: str) -> ColumnElement[bool]:
    """Return the condition that a permission is among those of the grant, spaces between them."""
    return (literal(" ") + _GRANT.c.permits + literal(" ")).contains(f" {word} ", autoescape=True)
