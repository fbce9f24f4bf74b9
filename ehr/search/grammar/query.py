"""Text to SearchRequest, strictly: what is not understood is refused by name.

FHIR R4 §3.1.1.4 and §3.1.1.5. One parameter is a control of the result (`controls.py`), an include
(`include_paths.py`) or a condition (`conditions.py`). Values are split into alternatives; what a
value means is judged by its type (`parameters/`) when the request is planned.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ehr.errors import Invalid, TooCostly
from ehr.messages import Params
from ehr.search.grammar.conditions import OF_ALL_TYPES, read_condition, weight
from ehr.search.grammar.controls import CONTROLS, CURSOR, Controls, read_control
from ehr.search.grammar.filter_conditions import FILTER, read_filter
from ehr.search.grammar.include_paths import INCLUDES, read_include
from ehr.search.grammar.refusals import Findings, unknown
from ehr.search.request import Compartment, Condition, Include, SearchRequest, Written
from fhir_profiles.definitions import is_resource_type, resource_types

MAXIMUM_PARAMETERS = 100
MAXIMUM_VALUES = 2_000  # each of them is some bound values, which engines limit
_TYPE = "_type"


def parse(
    types: Sequence[str],
    params: Params,
    *,
    compartment: Compartment | None = None,
    lenient: bool = False,
) -> SearchRequest:
    """Return the request that these decoded parameters make; no types means all of them."""
    if len(params) > MAXIMUM_PARAMETERS:
        raise TooCostly(
            f"The search has {len(params)} parameters. At most {MAXIMUM_PARAMETERS} are taken."
        )
    findings = Findings(lenient=lenient)
    reading = _Reading(Controls(_types(tuple(types), params, findings)), bool(types))
    for name, value in params:
        try:
            reading.take(name, value)
        except Invalid as error:
            findings.add(error)
        else:
            reading.understood.append((name, value))
    if sum(weight(one) for one in reading.conditions) > MAXIMUM_VALUES:
        raise TooCostly(
            f"The search compares with more than {MAXIMUM_VALUES} values, counted for each type. "
            "Name fewer values, or fewer types."
        )
    return reading.request(compartment, findings)


def _types(types: tuple[str, ...], params: Params, findings: Findings) -> tuple[str, ...]:
    asked = [value for name, value in params if name == _TYPE]
    if types or not asked:
        return types
    names = asked[0].split(",")
    wrong = [name for name in names if not is_resource_type(name)]
    for name in wrong:
        findings.add(unknown("resource type", name, " in `_type`", resource_types()))
    # Nothing known is left: asking for all types instead would answer another question.
    if len(wrong) == len(names):
        raise unknown("resource type", names[0], " in `_type`", resource_types())
    return tuple(dict.fromkeys(name for name in names if name not in wrong))


@dataclass(slots=True)
class _Reading:
    controls: Controls
    type_in_path: bool
    conditions: list[Condition] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    understood: list[Written] = field(default_factory=list)
    once: set[str] = field(default_factory=set)

    def take(self, name: str, value: str) -> None:
        if name == _TYPE or name in CONTROLS:
            self._only_once(name)
        if name == _TYPE:
            self._check_type()
        elif name in CONTROLS:
            read_control(self.controls, name, value)
        elif name.partition(":")[0] in INCLUDES:
            self.includes.append(read_include(self.controls.types, name, value))
        elif name == FILTER:
            self.conditions += read_filter(self.controls.types, value)
        else:
            self.conditions.append(
                read_condition(self.controls.types, name, value, others=self._other_names())
            )

    def request(self, compartment: Compartment | None, findings: Findings) -> SearchRequest:
        controls = self.controls
        return SearchRequest(
            types=controls.types,
            compartment=compartment,
            conditions=tuple(self.conditions),
            sort=controls.sort,
            count=controls.count,
            includes=tuple(self.includes),
            summary=controls.summary,
            elements=controls.elements,
            total=controls.total,
            cursor=controls.cursor,
            understood=tuple(pair for pair in self.understood if pair[0] != CURSOR),
            ignored=findings.settle(),
            lenient=findings.lenient,
        )

    def _other_names(self) -> Collection[str]:
        return _OTHER_NAMES if self.type_in_path else _OTHER_NAMES | {_TYPE}

    def _only_once(self, name: str) -> None:
        if name in self.once:
            raise Invalid(f"`{name}` is given more than once. Give it once.")
        self.once.add(name)

    def _check_type(self) -> None:
        if self.type_in_path:
            raise Invalid(
                "`_type` is for searches over several types. The path already names the type: "
                "leave `_type` out, or search at the base address."
            )


_OTHER_NAMES = frozenset(
    {FILTER} | OF_ALL_TYPES | INCLUDES | CONTROLS.keys() - {CURSOR, "_contained", "_containedType"}
)
