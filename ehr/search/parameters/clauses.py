"""One search criterion as a condition on a row: hands over to the file of the parameter's type."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from ehr.errors import Invalid
from ehr.search.matching import MatchContext, RowAlias
from ehr.search.parameters import composite, date, number, quantity, reference, string, token, uri
from fhir_profiles.search_parameters import SearchParameter

_CLAUSES = {
    "date": date.clause,
    "number": number.clause,
    "quantity": quantity.clause,
    "reference": reference.clause,
    "string": string.clause,
    "token": token.clause,
    "uri": uri.clause,
}


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
    if parameter.kind == "composite":
        return composite.clause(row, parameter, modifier, values, context, clause)
    if parameter.kind not in _CLAUSES or not parameter.expression:
        raise Invalid(
            f"Parameter {parameter.code} of {parameter.type} is not supported.",
            code="not-supported",
        )
    return _CLAUSES[parameter.kind](row, parameter, modifier, values, context)
