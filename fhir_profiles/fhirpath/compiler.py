"""Syntax tree → nested Python closures, each from a context collection to a result collection."""

from collections.abc import Callable
from typing import Any

from .arithmetic import negative, positive
from .environment import Closure, Environment
from .errors import FhirPathError, FhirPathSyntaxError
from .functions import CRITERIA, FUNCTIONS, TYPES, Function, Order
from .functions.subsetting import index
from .functions.types import is_, of_type, predicate
from .logic import LOGIC
from .model import is_fhir_type
from .nodes import Collection
from .operators import OPERATORS
from .paths import context, of_root_type, path
from .quantity import Quantity
from .syntax import (
    Ast,
    Binary,
    Call,
    Constant,
    Indexer,
    Literal,
    Member,
    Nothing,
    QuantityLiteral,
    Special,
    TemporalLiteral,
    TypeTest,
    Unary,
    size,
    type_name,
)
from .temporal import parse_literal
from .values import EMPTY
from .variables import constant


def closure_of(node: Ast, expression: str) -> Closure:
    """Compile one node and everything below it."""

    def below(child: Ast) -> Closure:
        return closure_of(child, expression)

    try:
        return _BUILDERS[type(node)](node, below)
    except FhirPathError as error:
        raise error.located(node.at, expression) from None


def _nothing(node: Nothing, below: Callable[[Ast], Closure]) -> Closure:
    return lambda this, env: EMPTY


def _literal(node: Literal, below: Callable[[Ast], Closure]) -> Closure:
    return _always([node.value])


def _temporal(node: TemporalLiteral, below: Callable[[Ast], Closure]) -> Closure:
    value = parse_literal(node.text)
    if value is None:
        raise FhirPathSyntaxError(f"@{node.text} is no date or time of the calendar")
    return _always([value])


def _quantity(node: QuantityLiteral, below: Callable[[Ast], Closure]) -> Closure:
    return _always([Quantity(node.value, node.unit, node.calendar)])


def _always(found: Collection) -> Closure:
    return lambda this, env: found


def _special(node: Special, below: Callable[[Ast], Closure]) -> Closure:
    if node.name == "this":
        return context
    if node.name == "index":
        return lambda this, env: [env.index] if env.index >= 0 else []
    return lambda this, env: env.total


def _constant(node: Constant, below: Callable[[Ast], Closure]) -> Closure:
    return _guarded(lambda this, env: constant(node.name, env), node.at)


def _member(node: Member, below: Callable[[Ast], Closure]) -> Closure:
    if node.source is None:
        if node.name[:1].isupper() and is_fhir_type(node.name):
            return of_root_type(node.name)
        return path(context, node.name)
    return path(below(node.source), node.name)


def _call(node: Call, below: Callable[[Ast], Closure]) -> Closure:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise FhirPathSyntaxError(f"There is no function {node.name}()")
    _check_count(node, function)
    source = below(node.source) if node.source is not None else context
    run = function.run
    if function.kind == TYPES:
        return _guarded(_type_call(node, source, run), node.at)
    if node.name == "sort":
        orders = _orders(node, below)
        return _guarded(lambda this, env: run(source(this, env), env, *orders), node.at)
    arguments = [below(argument) for argument in node.arguments]
    if function.kind == CRITERIA:
        arguments = [_counted(*each) for each in zip(arguments, node.arguments, strict=True)]
        return _guarded(lambda this, env: run(source(this, env), env, *arguments), node.at)
    if not arguments:
        return _guarded(lambda this, env: run(source(this, env), env), node.at)
    # Arguments are evaluated on what surrounds the call ($this), not on its input (N1 §3).
    return _guarded(
        lambda this, env: run(source(this, env), env, *[x(this, env) for x in arguments]), node.at
    )


def _counted(run: Closure, node: Ast) -> Closure:
    """Account for an expression that a function evaluates for every item."""
    weight = size(node)

    def call(this: Collection, env: Environment) -> Collection:
        env.steps -= weight
        if env.steps < 0:
            env.refill()
        return run(this, env)

    return call


def _check_count(node: Call, function: Function) -> None:
    given = len(node.arguments)
    if not function.low <= given <= function.high:
        wanted = str(function.low)
        if function.high != function.low:
            wanted += f" to {function.high}"
        raise FhirPathSyntaxError(f"{node.name}() takes {wanted} arguments and got {given}")


def _type_call(node: Call, source: Closure, run: Callable[..., Collection]) -> Closure:
    name = type_name(node.arguments[0])
    if name is None:
        raise FhirPathSyntaxError(f"{node.name}() takes the name of a type")
    fits = predicate(name, exact=node.name != "is")
    if node.name == "as" and isinstance(node.source, Call) and node.source.name == "descendants":
        # R4's own dom-3 says descendants().as(uri) and means all of them.
        run = of_type
    return lambda this, env: run(source(this, env), env, fits)


def _orders(node: Call, below: Callable[[Ast], Closure]) -> list[Order]:
    """Read the keys of sort(): `-$this` and `$this desc` go downward, strings too."""
    found = []
    for argument in node.arguments:
        if isinstance(argument, Unary) and argument.operator != "+":
            found.append(Order(below(argument.operand), argument.operator != "asc"))
        else:
            found.append(Order(below(argument), False))
    return found


def _indexer(node: Indexer, below: Callable[[Ast], Closure]) -> Closure:
    source, position = below(node.source), below(node.index)
    if isinstance(node.index, Literal) and type(node.index.value) is int:
        at = node.index.value
        return lambda this, env: source(this, env)[at : at + 1]
    return _guarded(lambda this, env: index(source(this, env), env, position(this, env)), node.at)


def _unary(node: Unary, below: Callable[[Ast], Closure]) -> Closure:
    operand = below(node.operand)
    if node.operator in ("asc", "desc"):
        raise FhirPathSyntaxError(f"{node.operator} belongs into sort()")
    run = negative if node.operator == "-" else positive
    return _guarded(lambda this, env: run(operand(this, env)), node.at)


def _binary(node: Binary, below: Callable[[Ast], Closure]) -> Closure:
    left, right = below(node.left), below(node.right)
    if node.operator in LOGIC:
        return _guarded(LOGIC[node.operator](left, right), node.at)
    run = OPERATORS[node.operator]
    return _guarded(lambda this, env: run(left(this, env), right(this, env), env), node.at)


def _type_test(node: TypeTest, below: Callable[[Ast], Closure]) -> Closure:
    operand = below(node.operand)
    fits = predicate(node.type, exact=node.operator == "as", infix=True)
    if node.operator == "is":
        return _guarded(lambda this, env: is_(operand(this, env), env, fits), node.at)
    # R4's search parameters say `(Observation.component.value as Quantity)` of many components.
    return lambda this, env: of_type(operand(this, env), env, fits)


def _guarded(run: Closure, at: int) -> Closure:
    """Add the place in the text to errors that do not know it; costs nothing without one."""

    def call(this: Collection, env: Environment) -> Collection:
        try:
            return run(this, env)
        except FhirPathError as error:
            if error.position < 0:
                error.position = at
            raise

    return call


_BUILDERS: dict[type, Callable[[Any, Callable[[Ast], Closure]], Closure]] = {
    Nothing: _nothing, Literal: _literal, TemporalLiteral: _temporal, QuantityLiteral: _quantity,
    Special: _special, Constant: _constant, Member: _member, Call: _call, Indexer: _indexer,
    Unary: _unary, Binary: _binary, TypeTest: _type_test,
}  # fmt: skip
