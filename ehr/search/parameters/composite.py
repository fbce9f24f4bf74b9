"""Composite parameters: two values that hold together (R4 search.html §3.1.1.5.6).

Where the composite's base is the resource itself, both parts are ordinary clauses on one row. Parts
that must meet in one repeated element (`component-code-value-quantity`) need rows that know their
element; those parameters are refused until the index has them.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_

from ehr.errors import Unsupported
from ehr.search.matching import Clause, MatchContext, RowAlias, any_of, check_modifier
from ehr.search.values.escapes import refuse, split_escaped
from fhir_profiles.search_parameters import SearchParameter, component_parameter


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
    part_clause: Clause,
) -> ColumnElement[bool]:
    """Return the condition for `part$part`; `part_clause` matches one part."""
    check_modifier(parameter, modifier, ())
    if parameter.expression != parameter.type:
        raise Unsupported(
            f"Parameter {parameter.code} of {parameter.type} is not supported yet: its parts must "
            "meet in one repeated element. Search for the parts by their own parameters."
        )
    parts = [component_parameter(parameter, component) for component in parameter.components]
    choices = []
    for value in values:
        texts = split_escaped(parameter, value, "$")
        if len(texts) != len(parts):
            names = "$".join(part.code for part in parts)
            raise refuse(parameter, value, f"{len(parts)} values joined by $: {names}")
        choices.append(
            and_(
                *(
                    part_clause(row, part, None, [text], context)
                    for part, text in zip(parts, texts, strict=True)
                )
            )
        )
    return any_of(choices)
