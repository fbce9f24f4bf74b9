"""Compile the search parameters of a type into one Python function over parsed JSON.

The function visits each element once, however many parameters select it, and hands values to sinks.
Values in elements that composite parameters repeat over go to the rows of that element.
Which sink takes which kind and type is the caller's matter. R4 search.html §3.1.1.3.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_profiles.composites import APART, Moves, element_of, parts
from fhir_profiles.evaluated import Evaluation, evaluation
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.selected import Evaluated, Leaf, Member, Move, Presence, is_single, leaves
from fhir_profiles.selection import Equal, Extended

__all__ = [
    "Extractor",
    "Leaf",
    "Sink",
    "compile_extractor",
    "extractor_source",
    "is_single",
    "leaves",
]

Sink = Callable[[tuple[int, ...], Any, Any], None]  # (parameter ids, value, rows)
SinkFor = Callable[[SearchParameter, Leaf], Sink | None]
Extractor = Callable[[dict[str, Any], Any], None]  # (resource, rows)


@dataclass(slots=True)
class _Node:
    """One element in the tree of all that the parameters of a type select."""

    below: dict[Move, "_Node"] = field(default_factory=dict)
    sinks: dict[tuple[str, Moves | None], tuple[Sink, dict[int, None]]] = field(
        default_factory=dict
    )
    primitive: bool = False


def compile_extractor(parameters: Iterable[SearchParameter], sink_for: SinkFor) -> Extractor:
    """Return a function that gives every value these parameters select to its sink."""
    source, named = extractor_source(parameters, sink_for)
    namespace: dict[str, Any] = dict(named)
    # Our own text: of what a definition says, names of elements and literals get into it, no more.
    exec(compile(source, "<search extraction>", "exec"), namespace)  # noqa: S102  as above
    extractor: Extractor = namespace["extract"]
    return extractor


def extractor_source(
    parameters: Iterable[SearchParameter], sink_for: SinkFor
) -> tuple[str, dict[str, Sink | Evaluation]]:
    """Return the text of the function and what it names: sinks, and evaluations."""
    root = _Node()
    for parameter in parameters:
        if parameter.kind == "composite":
            for part in parts(parameter):
                if part.parameter.own_rows:
                    for leaf, element in part.elements.items():
                        # By their path references have rows already, but not of an element.
                        _plant(
                            root, part.parameter, replace(leaf, by_path=False), element, sink_for
                        )
            continue
        for leaf in leaves(parameter):
            _plant(root, parameter, leaf, element_of(parameter, leaf), sink_for)
    writer = _Writer(root)
    writer.write_node(root, "r", 1, ())
    return "\n".join(("def extract(r, rows):", *writer.lines, "    return")), writer.named


def _plant(
    root: _Node,
    parameter: SearchParameter,
    leaf: Leaf,
    element: Moves | None,
    sink_for: SinkFor,
) -> None:
    sink = sink_for(parameter, leaf)
    if sink is None:
        return
    node = root
    for move in leaf.moves:
        node = node.below.setdefault(move, _Node())
    node.primitive = leaf.field is not None and leaf.field.primitive
    _, ids = node.sinks.setdefault((parameter.kind, element), (sink, {}))
    ids[parameter.param_id] = None


class _Writer:
    """Write the tree as nested statements; variables are numbered."""

    def __init__(self, root: _Node) -> None:
        self.lines: list[str] = []
        self.named: dict[str, Sink | Evaluation] = {}
        self._variables = 0
        self._elements = set(_elements(root))
        # Where the rows of an element go: of the resource, of none, of one it is inside.
        self._rows: dict[Moves | None, str] = {(): "rows", APART: "rows.apart()"}

    def write_node(self, node: _Node, value: str, depth: int, at: Moves) -> None:
        if at and at in self._elements:
            self._rows[at] = self._variable()
            self._line(depth, f"{self._rows[at]} = rows.part()")
        for (_, element), (sink, ids) in node.sinks.items():
            name = f"sink{len(self.named)}"
            self.named[name] = sink
            self._line(depth, f"{name}({tuple(ids)!r}, {value}, {self._rows[element]})")
        for move, below in node.below.items():
            there = (*at, move)
            if isinstance(move, Member):
                self._write_member(move, below, value, depth, there)
            elif isinstance(move, Equal):
                self._line(depth, f"if {value}.get({move.member!r}) == {move.value!r}:")
                self.write_node(below, value, depth + 1, there)
            elif isinstance(move, Evaluated):
                self._write_evaluated(move, below, value, depth, there)
            elif isinstance(move, Extended):
                urls = f"x.get('url') == {move.url!r} for x in {value}.get('extension', ())"
                self._line(depth, f"if any({urls}):")
                self.write_node(below, value, depth + 1, there)
            else:
                self._write_presence(move, below, value, depth, there)

    def _write_member(
        self, move: Member, below: _Node, value: str, depth: int, there: Moves
    ) -> None:
        found = self._variable()
        self._line(depth, f"{found} = {value}.get({move.name!r})")
        self._line(depth, f"if {found} is not None:")
        if not move.many:
            self.write_node(below, found, depth + 1, there)
            return
        item = self._variable()
        some = found if move.index is None else f"{found}[{move.index}:{move.index + 1}]"
        self._line(depth + 1, f"for {item} in {some}:")
        if below.primitive:
            # A list of primitives has null where only extensions stand.
            self._line(depth + 2, f"if {item} is None: continue")
        self.write_node(below, item, depth + 2, there)

    def _write_evaluated(
        self, move: Evaluated, below: _Node, value: str, depth: int, there: Moves
    ) -> None:
        name, found = f"evaluate{len(self.named)}", self._variable()
        self.named[name] = evaluation(move.expression)
        self._line(depth, f"{found} = {name}({value}, rows)")
        self.write_node(below, found, depth, there)

    def _write_presence(
        self, move: Presence, below: _Node, value: str, depth: int, there: Moves
    ) -> None:
        found = self._variable()
        tests = (f"{value}.get({name!r}, False) is not False" for name in move.names)
        self._line(depth, f"{found} = {' or '.join(tests)}")
        self.write_node(below, found, depth, there)

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)


def _elements(node: _Node) -> Iterator[Moves]:
    """Yield the elements that rows below this node name."""
    for _, element in node.sinks:
        if element:
            yield element
    for below in node.below.values():
        yield from _elements(below)
