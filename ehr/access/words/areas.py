"""`area`: what belongs to a life area in which the caller's organisation gives a service."""

from sqlalchemy import ColumnElement, and_, false, not_, or_

from ehr.access.names import PLACE
from ehr.access.rows import Row, at_paths, has_token
from ehr.access.there import there_is
from ehr.store.tables import reference, resource, token
from fhir_profiles.search_parameters import for_type

_GOAL, _SERVICE = token.alias("goal_area"), token.alias("service_area")
_PROVIDED, _OFFER = reference.alias("provided"), resource.alias("offer")
_NAMED, _BY_PLAN = reference.alias("in_area"), reference.alias("by_plan")
_TEAM = reference.alias("of_team")
_GOALS, _TEAMS = ("CarePlan.goal",), ("CarePlan.careTeam",)
_ADDRESSED, _GIVEN_BY = ("Goal.addresses",), ("HealthcareService.providedBy",)


def is_of_area(row: Row) -> ColumnElement[bool]:
    """Return the condition that a Goal, plan, team or Condition belongs to such an area."""
    r, n, p, t = row.row.c, _NAMED.c, _BY_PLAN.c, _TEAM.c
    ways = []
    if row.may_be("Goal"):
        ways.append(and_(row.is_of("Goal"), _is_goal(row, row.key, r.rid)))
    if row.may_be("CarePlan"):
        goals = there_is(
            _NAMED,
            n.patient_key == row.key,
            n.rid == r.rid,
            at_paths(_NAMED, _GOALS),
            n.target_key == row.key,
            _is_goal(row, n.target_key, n.target_rid),
        )
        ways.append(and_(row.is_of("CarePlan"), goals))
    if row.may_be("CareTeam"):
        goals = there_is(
            _BY_PLAN,
            p.patient_key == t.patient_key,
            p.rid == t.rid,
            at_paths(_BY_PLAN, _GOALS),
            p.target_key == row.key,
            _is_goal(row, p.target_key, p.target_rid),
        )
        team = there_is(
            _TEAM,
            t.target_rid == r.rid,
            t.patient_key == row.key,
            at_paths(_TEAM, _TEAMS),
            goals,
        )
        ways.append(and_(row.is_of("CareTeam"), team))
    if row.may_be("Condition"):
        addressed = there_is(
            _NAMED,
            n.target_rid == r.rid,
            n.patient_key == row.key,
            at_paths(_NAMED, _ADDRESSED),
            _is_goal(row, n.patient_key, n.rid),
        )
        ways.append(and_(row.is_of("Condition"), addressed))
    return or_(*ways) if ways else false()


def _is_goal(row: Row, key: ColumnElement[int], rid: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a Goal has a category of a service of the caller's organisation."""
    g, s, p, o = _GOAL.c, _SERVICE.c, _PROVIDED.c, _OFFER.c
    here = row.value(PLACE)
    is_ours = there_is(
        (_PROVIDED, _OFFER),
        p.patient_key == s.patient_key,
        p.rid == s.rid,
        at_paths(_PROVIDED, _GIVEN_BY),
        here != 0,
        p.target_rid == here,
        o.patient_key == p.patient_key,
        o.rid == p.rid,
        o.deleted.is_(False),
        not_(has_token(row.hasher, p.patient_key, p.rid, "HealthcareService", "active", "false")),
    )
    offered = there_is(
        _SERVICE,
        s.patient_key == 0,
        s.param == for_type("HealthcareService")["service-category"].param_id,
        s.code == g.code,
        s.system == g.system,
        is_ours,
    )
    return there_is(
        _GOAL,
        g.patient_key == key,
        g.rid == rid,
        g.param == for_type("Goal")["category"].param_id,
        offered,
    )
