"""`_list`: what a List names in its entries, whatever its type.

FHIR R4 §3.1.1.4.22: "all Patient resources that are referenced from the list found at
`[base]/List/42` in List.entry.item"; by id, "not a full URL". It is `_has:List:item:_id=42`.
"""

from ehr.errors import Invalid
from ehr.search.grammar.chains import check_hops
from ehr.search.grammar.criterion import read_criterion
from ehr.search.grammar.refusals import shown
from ehr.search.parameters.custom import NO_CUSTOM
from ehr.search.request import Reverse
from ehr.search.values.escapes import alternatives
from fhir_profiles.search_parameters import for_type

_NAME = "_list"


def listed(types: tuple[str, ...], value: str, hops: int) -> Reverse:
    """Return the condition that one of the Lists with these ids names the resource."""
    check_hops(hops + 1)
    for one in alternatives(value):
        if one.startswith(("$", "\\$")):
            raise Invalid(
                f"`{_NAME}={shown(one)}` is not supported: this server keeps no functional lists. "
                "Search List by `code`, and give the id of the one you mean.",
                code="not-supported",
            )
        if "/" in one:
            raise Invalid(
                f"`{_NAME}` is `{shown(one)}`. It must be the id of a List, without the type."
            )
    inner = read_criterion(("List",), "_id", value, NO_CUSTOM)
    return Reverse((_NAME, value), for_type("List")["item"], inner)
