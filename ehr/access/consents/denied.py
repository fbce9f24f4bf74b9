"""Whether a patient keeps a row from the caller, as SQL: what `model.py` says a rule means.

Rules are few: most patients have none, and the others a handful, found by the key.
"""

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    false,
    not_,
    or_,
)

from ehr.access.names import GRANTEES, NOW, PURPOSE
from ehr.access.relationships.held import is_held
from ehr.access.relationships.kinds import Ceiling, Kind
from ehr.access.rows import Row
from ehr.access.there import there_is
from ehr.store.pairs import among_few
from ehr.store.rows import CODED, CODING_ELEMENTS
from ehr.store.tables import consent_rule, relationship, token
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import for_type

_RULE, _SPARED = consent_rule.alias("denial"), consent_rule.alias("spared")
_ANY = consent_rule.alias("any_rule")
_TOKEN, _GLASS = token.alias("coded"), relationship.alias("glass")
# Whose work is to keep somebody safe, whatever is kept from others.
_KEEP_SAFE = frozenset({"social-worker", "gp"})


def is_denied(row: Row, role: str) -> ColumnElement[bool]:
    """Return the condition that a Consent in force keeps this row from the caller.

    Whether there is any at all is asked once for all rows of a patient.
    """
    r = _RULE.c
    has_any = there_is(_ANY, _ANY.c.patient_key == row.key_once, _ANY.c.is_exception.is_(False))
    kept = there_is(
        _RULE,
        r.is_exception.is_(False),
        _meets(_RULE, row),
        not_(_is_spared(row, role)),
        not_(and_(r.may_be_lifted, _has_broken_glass(row))),
        not_(
            there_is(
                _SPARED,
                _SPARED.c.rid == r.rid,
                _SPARED.c.denial == r.denial,
                _SPARED.c.is_exception,
                _meets(_SPARED, row),
            )
        ),
    )
    return and_(has_any, kept)


def _meets(rule: FromClause, row: Row) -> ColumnElement[bool]:
    r, now = rule.c, row.value(NOW)
    coded = there_is(
        _TOKEN,
        _TOKEN.c.patient_key == row.key,
        _TOKEN.c.rid == row.row.c.rid,
        _TOKEN.c.param.in_(_coded_by(row.types)),
        _TOKEN.c.code == r.code,
        _TOKEN.c.system == r.system,
    )
    is_item = and_(r.item_type == row.row.c.type, r.item_id == row.row.c.id)
    return and_(
        r.patient_key == row.key,
        r.from_at <= now,
        r.to_at > now,
        or_(r.actor == 0, among_few(r.actor, row.value(GRANTEES))),
        or_(r.type == 0, r.type == row.row.c.type),
        or_(r.code == 0, coded),
        row.conf.between(r.least, r.most),
        or_(r.sens == 0, r.sens.op("&")(row.sens) != 0),
        or_(r.item_id == "", is_item),
        or_(r.purpose == "", r.purpose == row.value(PURPOSE)),
    )


def _coded_by(types: frozenset[str]) -> list[int]:
    """Return the parameters by which rows of these types (none: any) say what they are."""
    known = (
        for_type(type).get(name) for type in types or resource_types() for name in CODING_ELEMENTS
    )
    told = {one.param_id for one in known if one is not None and one.kind == "token"}
    return sorted({CODED, *told})


def _is_spared(row: Row, role: str) -> ColumnElement[bool]:
    """Who wrote a row keeps it; who keeps people safe sees why; a stop of all sharing leaves who
    the patient is."""
    r = _RULE.c
    says_what = or_(r.type != 0, r.code != 0, r.sens != 0, r.item_id != "", r.least > 0)
    written_here = and_(r.spares_authors, row.is_entered_here())
    names_nobody = r.actor == 0
    who = row.is_of("Patient") if row.may_be("Patient") else false()
    parts = [written_here, and_(names_nobody, not_(says_what), who)]
    if role in _KEEP_SAFE and row.may_be("Flag"):
        parts.append(and_(names_nobody, row.is_of("Flag"), row.has_mark("safeguarding")))
    return or_(*parts)


def _has_broken_glass(row: Row) -> ColumnElement[bool]:
    g = _GLASS.c
    return there_is(
        _GLASS,
        g.patient_key == row.key,
        is_held(_GLASS, Ceiling.ROLE, row.caller, kinds=(Kind.BREAK_GLASS,)),
    )
