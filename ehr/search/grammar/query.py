"""Text to SearchRequest, strictly: what is not understood is refused by name.

FHIR R4 §3.1.1.4 and §3.1.1.5. One parameter is a control of the result (`controls.py`), an include
(`include_paths.py`) or a condition (`conditions.py`). Values are split into alternatives; what a
value means is judged by its type (`parameters/`) when the request is planned.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ehr.errors import Invalid, TooCostly
from ehr.messages import Params
from ehr.search.grammar.conditions import OF_ALL_TYPES, read_condition
from ehr.search.grammar.controls import CONTROLS, CURSOR, Controls, read_control
from ehr.search.grammar.filter_conditions import FILTER, read_filter
from ehr.search.grammar.include_paths import INCLUDES, is_include, read_include
from ehr.search.grammar.refusals import Findings, shown, unknown
from ehr.search.grammar.weights import check_weight
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.search.request import Compartment, Condition, Include, SearchRequest, Written
from fhir_profiles.definitions import resource_types

MAXIMUM_PARAMETERS = 100
_TYPE, _QUERY = "_type", "_query"
_TEXT_ALONE = Invalid(
    "`_include` and `_revinclude` cannot be used with `_summary=text`. Ask for another summary, or "
    "for the included resources in a search of their own.",
)


def parse(
    types: Sequence[str],
    params: Params,
    *,
    compartment: Compartment | None = None,
    custom: Custom = NO_CUSTOM,
    lenient: bool = False,
    passes_over_empty: bool = False,
) -> SearchRequest:
    """Return the request that these decoded parameters make; no types means all of them.

    `custom` are the parameters that the record adds to those of R4.

    "Empty parameters are not an error - they are just ignored by the server" (§3.1.1.3): searches
    pass over them and say so; conditions of a change may not, for they would match more.
    """
    if len(params) > MAXIMUM_PARAMETERS:
        raise TooCostly(
            f"The search has {len(params)} parameters. At most {MAXIMUM_PARAMETERS} are taken."
        )
    # Of a change no condition is passed over, lenient or not.
    findings = Findings(lenient=lenient, may_be_lenient=passes_over_empty)
    if passes_over_empty:
        params = tuple(_given(params, findings))
    is_open = not types or (compartment is not None and compartment.of is None)
    controls = Controls(_types(tuple(types), is_open, params, findings), custom)
    reading = _Reading(controls, not is_open)
    for name, value in params:
        if name == _QUERY:
            # "Servers SHALL refuse to process a search request if they do not recognize the
            # _query parameter value" (§3.1.1.7), lenient or not; this one has none.
            raise Invalid(
                "`_query` is not supported: this server has no named queries.", code="not-supported"
            )
        try:
            reading.take(name, value)
        except Invalid as error:
            findings.add(error)
        else:
            is_type = name == _TYPE
            reading.understood.append((name, ",".join(controls.types) if is_type else value))
    check_weight(reading.conditions)
    return reading.request(compartment, findings)


def _given(params: Params, findings: Findings) -> Iterator[tuple[str, str]]:
    for name, value in params:
        if value:
            yield name, value
        else:
            findings.note(f"`{shown(name)}` is empty.")


def _types(
    types: tuple[str, ...], is_open: bool, params: Params, findings: Findings
) -> tuple[str, ...]:
    """Return the types to search; `types` are those of the path, or of a whole compartment."""
    asked = [value for name, value in params if name == _TYPE]
    if not is_open or not asked:
        return types
    valid, where = types or resource_types(), " in `_type`"
    where += " for this compartment" if types else ""
    names = asked[0].split(",")
    wrong = [name for name in names if name not in valid]
    for name in wrong:
        findings.add(unknown("resource type", name, where, valid))
    # Nothing known is left: asking for all types instead would answer another question.
    if len(wrong) == len(names):
        raise unknown("resource type", names[0], where, valid)
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
        types, custom = self.controls.types, self.controls.custom
        if name == _TYPE or name in CONTROLS:
            self._only_once(name)
        if name == _TYPE:
            self._check_type()
        elif name in CONTROLS:
            read_control(self.controls, name, value)
        elif is_include(name):
            self.includes.append(read_include(types, name, value, custom))
        elif name == FILTER:
            self.conditions += read_filter(types, value, custom)
        else:
            self.conditions.append(
                read_condition(types, name, value, custom, others=self._other_names())
            )

    def request(self, compartment: Compartment | None, findings: Findings) -> SearchRequest:
        controls = self.controls
        if controls.summary == "text" and self.includes:
            # "_include and _revinclude … cannot be mixed with _summary=text" (§3.1.1.5.8)
            findings.add(_TEXT_ALONE)
            self.understood = [pair for pair in self.understood if not is_include(pair[0])]
            self.includes = []
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


# What a search over any types may ask beside the parameters of those types, and as what.
BESIDE_TYPES = {FILTER: "special", **dict.fromkeys(sorted(OF_ALL_TYPES), "string"), _TYPE: "token"}
_OTHER_NAMES = frozenset(
    {FILTER} | OF_ALL_TYPES | INCLUDES | CONTROLS.keys() - {CURSOR, "_contained", "_containedType"}
)
