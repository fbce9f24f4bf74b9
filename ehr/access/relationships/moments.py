"""Which relationships of one patient are in force at a moment: the rule of `held.py`, in Python.

For who knows the relationships already: what a patient has is a few dozen rows. Pure.
"""

from collections.abc import Collection, Sequence

from ehr.access.relationships.kinds import OF_CARE, Ceiling, Kind, Relationship


def held_at(
    relationships: Sequence[Relationship],
    names: Collection[str],
    at: int,
    at_least: Ceiling = Ceiling.MINIMAL,
) -> tuple[Relationship, ...]:
    """Return those of one patient that somebody of these names holds at a moment, in ms.

    `relationships` are all that the patient has: some rest on others. Raises ValueError for a
    ceiling that opens nothing.
    """
    if at_least is Ceiling.NOTHING:
        raise ValueError("everybody has no relationship to everybody")
    return tuple(
        one
        for one in relationships
        if one.grantee in names
        and _is_live(one, at)
        and (not one.behalf or one.behalf in names)
        and _reaches(one, relationships, at_least)
        and _rests_well(one, relationships, at, at_least)
    )


def _is_live(one: Relationship, at: int) -> bool:
    return one.from_ <= at < one.to


def _reaches(one: Relationship, all_: Sequence[Relationship], at_least: Ceiling) -> bool:
    if one.ceiling < at_least:
        return False
    if at_least is Ceiling.MINIMAL or one.kind is not Kind.REFERRAL or one.from_task:
        return True
    return not any(
        told.kind is Kind.REFERRAL and told.from_task and told.basis == one.basis for told in all_
    )


def _rests_well(
    one: Relationship, all_: Sequence[Relationship], at: int, at_least: Ceiling
) -> bool:
    if one.kind is Kind.DELEGATED:
        return any(
            holder.grantee == one.basis
            and holder.kind in OF_CARE
            and _is_live(holder, at)
            and _reaches(holder, all_, at_least)
            for holder in all_
        )
    if one.kind is Kind.PROXY:
        return any(
            person.grantee == one.basis and person.kind is Kind.RELATED and _is_live(person, at)
            for person in all_
        )
    return True
