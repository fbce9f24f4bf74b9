"""One search criterion as a condition on a row: hands over to the file of the parameter's type."""

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.errors import Invalid
from ehr.search.matching import (
    Choices,
    Clause,
    MatchContext,
    RowAlias,
    any_of,
    missing,
    some_row,
)
from ehr.search.parameters import (
    composite,
    date,
    full_text,
    modifiers,
    near,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from ehr.store import tables
from fhir_profiles.search_parameters import SearchParameter

_Read = Callable[[SearchParameter, str | None, Sequence[str], MatchContext], Choices]


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition on `row` that one of the values matches; Invalid where none can.

    `values` are the alternatives, split at commas and still escaped. `_id` and `_lastUpdated` are
    columns of the resource itself and not for this function.
    """
    modifiers.check(parameter, modifier)
    if parameter.kind == "composite":
        return composite.clause(row, parameter, modifier, values, context, clause)
    if parameter.code in full_text.CODES:
        return full_text.clause(row, parameter, modifier, values, context)
    if parameter.kind not in _CLAUSES or not parameter.expression:
        raise Invalid(
            f"Parameter {parameter.code} of {parameter.type} is not supported.",
            code="not-supported",
        )
    return _CLAUSES[parameter.kind](row, parameter, modifier, values, context)


def _on(table: FromClause, choices: _Read) -> Clause:
    """Return the clause of a type whose rows stand alone: one of them must meet a choice."""

    def of_type(
        row: RowAlias,
        parameter: SearchParameter,
        modifier: str | None,
        values: Sequence[str],
        context: MatchContext,
    ) -> ColumnElement[bool]:
        if modifier == "missing":
            return missing(table, row, parameter, values, context)
        read = choices(parameter, modifier, values, context)

        def condition(t: FromClause) -> ColumnElement[bool]:
            return and_(t.c.param == parameter.param_id, any_of(read(t)))

        return some_row(table, row, context, condition)

    return of_type


_CLAUSES: dict[str, Clause] = {
    "date": _on(tables.date, date.choices),
    "number": _on(tables.quantity, number.choices),
    "quantity": _on(tables.quantity, quantity.choices),
    "reference": reference.clause,
    "special": near.clause,
    "string": _on(tables.string, string.choices),
    "token": token.clause,
    "uri": uri.clause,
}
