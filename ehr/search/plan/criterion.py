"""One criterion as SQL on a row: a clause of its type, or what was looked up by the locator.

`_id`, and identifiers over all patients, are found beforehand; `_lastUpdated` is a column.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, and_, not_

from ehr.errors import Invalid
from ehr.search.asking import Asking
from ehr.search.matching import MatchContext, any_of
from ehr.search.parameters import clauses
from ehr.search.parameters.last_updated import last_updated_clause
from ehr.search.plan import identifiers
from ehr.search.plan.mentions import check_ids, id_names
from ehr.search.request import Criterion
from ehr.store.pairs import in_pairs
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import SearchParameter


def criterion_clause(
    row: FromClause, types: Sequence[str], criterion: Criterion, asking: Asking
) -> ColumnElement[bool]:
    """Return the clause on `row`, of one of these types, that the criterion holds."""
    code = criterion.parameters[0].code
    if code == "_id":
        return _id(row, types, criterion, asking)
    if code == "_lastUpdated":
        return last_updated_clause(row, criterion, asking.context)
    if len(criterion.parameters) == 1:
        return _of_type(row, criterion.parameters[0], criterion, asking)
    choices: list[ColumnElement[bool]] = []
    refused: list[Invalid] = []
    for one in criterion.parameters:
        try:
            clause = _of_type(row, one, criterion, asking)
        except Invalid as error:
            refused.append(error)
        else:
            choices.append(and_(row.c.type == type_number(one.type), clause))
    # A value that means nothing for some of the types finds none of them; it must for one.
    if not choices:
        raise refused[0]
    return any_of(choices)


def is_looked_up(criterion: Criterion, context: MatchContext) -> bool:
    """Tell whether the rows that meet the criterion are looked up beforehand."""
    if criterion.parameters[0].code == "_id":
        return criterion.modifier is None
    return all(identifiers.are_located(one, criterion, context) for one in criterion.parameters)


def _of_type(
    row: FromClause, parameter: SearchParameter, criterion: Criterion, asking: Asking
) -> ColumnElement[bool]:
    if identifiers.are_located(parameter, criterion, asking.context):
        pairs = identifiers.located(asking.connection, parameter, criterion, asking.context)
        if pairs is not None:
            return in_pairs(asking.connection, row.c.patient_key, row.c.rid, pairs)
    return clauses.clause(row, parameter, criterion.modifier, criterion.values, asking.context)


def _id(
    row: FromClause, types: Sequence[str], criterion: Criterion, asking: Asking
) -> ColumnElement[bool]:
    if criterion.modifier != "missing":
        check_ids(criterion)
    if asking.context.inside:
        # Known in its container only: a token like any other.
        return _of_type(row, criterion.parameters[0], criterion, asking)
    if criterion.modifier == "missing":
        return row.c.id.is_(None) if criterion.values == ("true",) else row.c.id.isnot(None)
    pairs = asking.context.resolve(id_names(criterion)).values()
    found = in_pairs(asking.connection, row.c.patient_key, row.c.rid, list(pairs))
    return not_(found) if criterion.modifier == "not" else found
