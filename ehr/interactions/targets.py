"""Which resource each change is about, and what the links of a Bundle become (R4 §3.1.0.11.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ehr.errors import Invalid, NotFound, PreconditionFailed
from ehr.interactions.changes import Change
from ehr.interactions.links import Links, find_links
from ehr.record import Record
from ehr.search.criteria import Criteria, Matches
from ehr.store.drafts import Method

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What a change is about: one name, but for conditional deletes, which have any number.

    `is_new`: the id is made here. `matched`: a conditional create found its resource.
    `must_be_free`: a conditional update matched nothing, so its id may not name another resource.
    """

    names: tuple[Name, ...]
    is_new: bool = False
    matched: bool = False
    must_be_free: bool = False

    @property
    def id(self) -> str:
        """Return the id of the one resource."""
        return self.names[0][1]

    @property
    def writes(self) -> bool:
        """Tell whether anything is to be written."""
        return not self.matched and bool(self.names)


@dataclass(frozen=True, slots=True)
class Plan:
    """The targets, in the order of the changes, and the new text of every link."""

    targets: tuple[Target, ...]
    links: Links


def plan_targets(record: Record, changes: Sequence[Change], matches: Matches) -> Plan:
    """Choose the targets. Raises PreconditionFailed where a condition matches several, Invalid
    where two changes are about the same resource."""
    left = _without_deleted(record, changes, matches)
    made: dict[Criteria, Target] = {}
    targets = tuple(
        _target(record, change, matches if change.method is Method.DELETE else left, made)
        for change in changes
    )
    _refuse_overlap(changes, targets)
    return Plan(targets, find_links(changes, targets, left))


def _without_deleted(record: Record, changes: Sequence[Change], matches: Matches) -> Matches:
    """Return the matches as the deletes of the same Bundle leave them: those go first."""
    deletes = [change for change in changes if change.method is Method.DELETE]
    if not deletes or not matches:
        return matches
    gone = {name for one in deletes for name in _target(record, one, matches, {}).names}
    left: dict[Criteria, tuple[str, ...]] = {}
    for criteria, found in matches.items():
        some = tuple(id for id in found if (criteria.type, id) not in gone)
        # Where as many were found as were looked for, there may be more than these.
        left[criteria] = found if len(found) > 1 and len(found) >= criteria.limit else some
    return left


def _target(
    record: Record, change: Change, matches: Matches, made: dict[Criteria, Target]
) -> Target:
    """Return the target of a change. `made` keeps what conditions without a match create, so that
    the same condition twice in a Bundle means the same resource."""
    if change.criteria is None:
        if change.id is not None:
            return Target(((change.type, change.id),))
        return Target(((change.type, record.new_id()),), is_new=True)
    found = matches[change.criteria]
    if change.method is Method.DELETE:
        return _delete_target(record, change, found)
    if len(found) > 1:
        raise _several(change, len(found))
    if change.method is not Method.PATCH and change.criteria in made:
        return replace(made[change.criteria], matched=change.method is Method.POST)
    if change.method is Method.POST:
        if found:
            return Target(((change.type, found[0]),), matched=True)
        new = Target(((change.type, record.new_id()),), is_new=True)
        return made.setdefault(change.criteria, new)
    if change.method is Method.PATCH:
        if not found:
            raise NotFound(
                f"No {change.type} matches the condition, so there is nothing to patch.",
                expression=change.expression,
            )
        return Target(((change.type, found[0]),))
    target = _update_target(record, change, found)
    return target if found else made.setdefault(change.criteria, target)


def _update_target(record: Record, change: Change, found: tuple[str, ...]) -> Target:
    """Conditional update (R4 §3.1.0.4.3): the id in the body must not contradict the match."""
    assert change.document is not None
    sent = change.document.resource.get("id")
    if not found:
        if sent is not None:
            return Target(((change.type, sent),), must_be_free=True)
        return Target(((change.type, record.new_id()),), is_new=True)
    if sent is not None and sent != found[0]:
        raise Invalid(
            f"The condition matches {change.type}/{found[0]}, the body has id `{sent}`. Leave the "
            "id out or send the one that matches.",
            expression=f"{change.expression or change.type}.id",
        )
    return Target(((change.type, found[0]),))


def _delete_target(record: Record, change: Change, found: tuple[str, ...]) -> Target:
    if len(found) > 1 and record.settings.conditional_delete != "multiple":
        raise _several(change, len(found))
    limit = record.settings.conditional_delete_limit
    if len(found) > limit:
        raise PreconditionFailed(
            f"The condition matches more than {limit} {change.type}, the most that one delete may "
            "remove. Make it more precise.",
            code="too-costly",
            expression=change.expression,
        )
    return Target(tuple((change.type, id) for id in found))


def _several(change: Change, count: int) -> PreconditionFailed:
    return PreconditionFailed(
        f"The condition matches {'more than one' if count > 1 else count} {change.type}. Make it "
        "match one, for instance by an identifier.",
        code="multiple-matches",
        expression=change.expression,
    )


def _refuse_overlap(changes: Sequence[Change], targets: Sequence[Target]) -> None:
    seen: dict[Name, str] = {}
    for change, target in zip(changes, targets, strict=True):
        if target.matched:
            continue
        for name in target.names:
            if name in seen:
                raise Invalid(
                    f"{name[0]}/{name[1]} is changed twice in this Bundle, also by {seen[name]}. "
                    "Send one change for each resource.",
                    code="duplicate",
                    expression=change.expression,
                )
            seen[name] = change.expression or "this request"
