"""The public face of the engine: compile an expression once, evaluate it often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from time import monotonic
from types import MappingProxyType
from typing import Any

from .check import check, types_of
from .compiler import closure_of
from .environment import MAX_SECONDS, MAX_STEPS, Check, Closure, Environment, Resolve
from .errors import FhirPathError, FhirPathSyntaxError
from .nodes import Collection, Node, node_of
from .parser import parse
from .syntax import Ast, Member
from .values import plain, truth

# What Python may raise while an expression meets values it does not fit. Callbacks' own errors
# (a failing database) are none of these and pass.
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled FHIRPath expression."""

    text: str
    tree: Ast
    closure: Closure

    def evaluate(
        self,
        focus: Any,
        *,
        resource: Any = None,
        context: Any = None,
        environment: Mapping[str, Any] | None = None,
        resolve: Resolve | None = None,
        type_name: str | None = None,
        **more: Any,
    ) -> list[Any]:
        """Return the results as JSON-like Python values: dict, str, bool, int, Decimal.

        `type_name` types a focus that is no resource ("HumanName", "Patient.contact"). `resource`
        and `context` are `%resource` and `%context`, the focus by default; `environment` holds
        further variables. Raises FhirPathError and nothing else. See `nodes` for `more`.
        """
        found = self.nodes(
            focus,
            resource=resource,
            context=context,
            environment=environment,
            resolve=resolve,
            type_name=type_name,
            **more,
        )
        return [value for value in map(plain, found) if value is not None]

    def nodes(
        self,
        focus: Any,
        *,
        resource: Any = None,
        root: Any = None,
        context: Any = None,
        environment: Mapping[str, Any] | None = None,
        resolve: Resolve | None = None,
        type_name: str | None = None,
        member_of: Check | None = None,
        conforms_to: Check | None = None,
        trace: Callable[[str, list[Any]], None] | None = None,
        moment: datetime | None = None,
        seconds: float = MAX_SECONDS,
        steps: int = MAX_STEPS,
    ) -> Collection:
        """Return the results as they are: Nodes that know type and place, or System values.

        `moment` is what now() says; an evaluation of more than `seconds` or `steps` is stopped.
        """
        start = node_of(focus, type_name)
        owner = start if resource is None else node_of(resource)
        env = Environment(
            owner,
            owner if root is None else node_of(root),
            [start if context is None else node_of(context)],
            _NOTHING if environment is None else environment,
            resolve,
            member_of,
            conforms_to,
            trace,
            moment,
            monotonic() + seconds,
            rest=steps,
        )
        return self._run([start], env)

    def holds(self, focus: Any, **more: Any) -> bool | None:
        """Read the result as a boolean; None when it is empty. Takes what `nodes` takes."""
        try:
            return truth(self.nodes(focus, **more))
        except FhirPathError as error:
            raise error.located(0, self.text) from None

    def check(self, type_name: str) -> None:
        """Raise FhirPathError when the expression names an element that R4 does not have."""
        try:
            check(self.tree, type_name)
        except FhirPathError as error:
            raise error.located(0, self.text) from None

    def types(self, type_name: str) -> frozenset[str] | None:
        """Return the FHIR types that the results may have on this type; None where nobody knows.

        Raises FhirPathError like `check`.
        """
        try:
            return types_of(self.tree, type_name)
        except FhirPathError as error:
            raise error.located(0, self.text) from None

    def above(self) -> "tuple[Expression, str] | None":
        """Split `path.name` into the path and the name; None when it does not end in a name."""
        tree = self.tree
        if not isinstance(tree, Member) or tree.source is None:
            return None
        closure = closure_of(tree.source, self.text)
        return Expression(self.text, tree.source, closure), tree.name

    def _run(self, focus: Collection, env: Environment) -> Collection:
        try:
            return list(self.closure(focus, env))
        except FhirPathError as error:
            raise error.located(0, self.text) from None
        except _FAULTS as error:
            message = f"The expression does not fit its input ({type(error).__name__})"
            raise FhirPathError(message, 0, self.text) from error


@lru_cache(maxsize=4096)
def compile(expression: str) -> Expression:
    """Parse and compile an expression; FhirPathSyntaxError says where it is wrong."""
    try:
        tree = parse(expression)
        return Expression(expression, tree, closure_of(tree, expression))
    except RecursionError:
        raise FhirPathSyntaxError("The expression is nested too deep", 0, expression) from None


__all__ = ["Expression", "Node", "compile"]
