"""`plan`: an Observation that an active CarePlan of the patient names, or a Goal of one."""

from sqlalchemy import ColumnElement, and_, false, or_

from ehr.access.rows import Row, at_paths, has_token
from ehr.access.there import there_is
from ehr.store.tables import reference

_NAMING, _OF_PLAN = reference.alias("naming"), reference.alias("of_plan")
_BY_PLAN = ("CarePlan.supportingInfo", "CarePlan.activity.outcomeReference")
_BY_GOAL = ("Goal.outcomeReference",)
_GOALS = ("CarePlan.goal",)


def is_planned(row: Row) -> ColumnElement[bool]:
    """Return the condition that an active plan names a row, itself or by one of its Goals."""
    if not row.may_be("Observation"):
        return false()
    r, n, g = row.row.c, _NAMING.c, _OF_PLAN.c
    by_plan = and_(at_paths(_NAMING, _BY_PLAN), _is_active(row, n.patient_key, n.rid))
    of_goal = there_is(
        _OF_PLAN,
        g.patient_key == n.patient_key,
        at_paths(_OF_PLAN, _GOALS),
        g.target_rid == n.rid,
        _is_active(row, g.patient_key, g.rid),
    )
    by_goal = and_(at_paths(_NAMING, _BY_GOAL), of_goal)
    named = there_is(
        _NAMING, n.target_rid == r.rid, n.patient_key == row.key, or_(by_plan, by_goal)
    )
    return and_(row.is_of("Observation"), named)


def _is_active(row: Row, key: ColumnElement[int], rid: ColumnElement[int]) -> ColumnElement[bool]:
    return has_token(row.hasher, key, rid, "CarePlan", "status", "active")
