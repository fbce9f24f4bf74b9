"""The syntax tree of FHIRPath (N1 §13). `at` is the offset of a node in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Nothing:
    """`{}`, the empty collection."""

    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A boolean, string, integer or decimal."""

    value: bool | str | int | Decimal
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class TemporalLiteral:
    """`@2015-02-04T14:34`, the text without the at sign."""

    text: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class QuantityLiteral:
    """`4 days` (calendar) or `4 'mg'` (UCUM)."""

    value: Decimal
    unit: str
    calendar: bool
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total`: the name without the dollar sign."""

    name: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """`%resource`, `%'vs-name'`."""

    name: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """`source.name`, or `name` at the start of a path where `source` is None."""

    source: Ast | None
    name: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`source.name(arguments)`."""

    source: Ast | None
    name: str
    arguments: tuple[Ast, ...]
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Indexer:
    """`source[index]`."""

    source: Ast
    index: Ast
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`+x`, `-x`; inside `sort()` also `x asc` and `x desc`."""

    operator: str
    operand: Ast
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Ast
    right: Ast
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class TypeName:
    """`FHIR.Patient`; `namespace` is empty when it is not given."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type` or `operand as type`."""

    operator: str
    operand: Ast
    type: TypeName
    at: int = field(default=-1, compare=False)


Ast = (
    Nothing | Literal | TemporalLiteral | QuantityLiteral | Special | Constant
    | Member | Call | Indexer | Unary | Binary | TypeTest
)  # fmt: skip

# From the loosest to the tightest; all are left associative (N1 §6.8 Operator precedence).
PRECEDENCE = {
    operator: level
    for level, operators in enumerate(
        (
            ("implies",), ("or", "xor"), ("and",), ("in", "contains"), ("=", "~", "!=", "!~"),
            ("<=", "<", ">", ">="), ("|",), ("is", "as"), ("+", "-", "&"),
            ("*", "/", "div", "mod"),
        )
    )
    for operator in operators
}  # fmt: skip

CALENDAR_UNITS = {
    name: singular
    for singular in (
        "year", "month", "week", "day", "hour", "minute", "second", "millisecond",
    )
    for name in (singular, singular + "s")
}  # fmt: skip


def type_name(node: Ast) -> TypeName | None:
    """Read `Patient` or `FHIR.Patient` as a type specifier; None when it is something else."""
    if not isinstance(node, Member):
        return None
    if node.source is None:
        return TypeName("", node.name)
    if isinstance(node.source, Member) and node.source.source is None:
        return TypeName(node.source.name, node.name)
    return None


def size(node: Ast) -> int:
    """Count the nodes of a tree."""
    match node:
        case Member(source=source):
            return 1 + (size(source) if source is not None else 0)
        case Call(source=source, arguments=arguments):
            return 1 + (size(source) if source is not None else 0) + sum(map(size, arguments))
        case Indexer(source=source, index=index):
            return 1 + size(source) + size(index)
        case Unary(operand=operand) | TypeTest(operand=operand):
            return 1 + size(operand)
        case Binary(left=left, right=right):
            return 1 + size(left) + size(right)
    return 1
