"""One search parameter as text to a Condition: a criterion, or a chain or `_has` that leads to one.

FHIR R4 §3.1.1.4.14 (chained parameters), §3.1.1.4.15 (`_has`); mixed and nested as they come.
"""

import re
from collections.abc import Collection

from ehr.errors import Invalid
from ehr.search.grammar.chains import all_targets, check_hops, follow, reference
from ehr.search.grammar.criterion import read_criterion
from ehr.search.grammar.lists import listed
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.custom import Custom
from ehr.search.request import Chain, Condition, Reverse
from fhir_profiles.definitions import is_resource_type, resource_types

_HAS, _LIST = "_has:", "_list"
OF_ALL_TYPES = frozenset({"_has", _LIST})


def read_condition(
    types: tuple[str, ...],
    name: str,
    value: str,
    custom: Custom,
    *,
    others: Collection[str] = (),
    hops: int = 0,
) -> Condition:
    """Return the condition; `others` are further names that a refusal should list as valid."""
    check_hops(hops)
    if name.startswith(_HAS):
        return _reverse(types, name, value, custom, hops)
    if name == _LIST:
        return listed(types, value, hops)
    if "." in name:
        return _chain(types, name, value, custom, hops)
    return read_criterion(types, name, value, custom, others)


def _chain(types: tuple[str, ...], name: str, value: str, custom: Custom, hops: int) -> Chain:
    head, _, rest = name.partition(".")
    check_hops(hops + 1 + rest.count("."))
    code, colon, target = head.partition(":")
    next_code = re.split(r"[.:]", rest, maxsplit=1)[0]

    def read(target_type: str) -> Condition:
        return read_condition((target_type,), rest, value, custom, hops=hops + 1)

    return follow(
        reference(types, code, custom),
        target if colon else None,
        # Every type may be referred to, or be in a list.
        () if next_code in OF_ALL_TYPES else (next_code,),
        (name, value),
        read,
        custom,
    )


def _reverse(types: tuple[str, ...], name: str, value: str, custom: Custom, hops: int) -> Reverse:
    parts = name.split(":", 3)
    if len(parts) < 4 or not all(parts):
        raise Invalid(
            f"`{shown(name)}` is incomplete. It must be `_has:Type:reference:parameter`, "
            "for instance `_has:Observation:patient:code`."
        )
    _, source, code, rest = parts
    if not is_resource_type(source):
        raise unknown("resource type", source, f" in `{shown(name)}`", resource_types())
    (parameter,) = reference((source,), code, custom)
    reached = all_targets((parameter,))
    if types and not set(types) & set(reached):
        raise Invalid(
            f"`{source}.{code}` never refers to {' or '.join(types)}. "
            f"It refers to: {', '.join(reached)}."
        )
    inner = read_condition((source,), rest, value, custom, hops=hops + 1)
    return Reverse((name, value), parameter, inner)
