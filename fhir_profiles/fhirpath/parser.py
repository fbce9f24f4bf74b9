"""FHIRPath tokens → syntax tree: precedence climbing over the N1 grammar (§13).

Bounded: a text has at most 20,000 characters and 2,000 nodes, nested at most 60 deep.
"""

from decimal import Decimal

from .errors import FhirPathSyntaxError
from .lexer import Token, tokens, unquote
from .syntax import (
    CALENDAR_UNITS,
    PRECEDENCE,
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
    TypeName,
    TypeTest,
    Unary,
)

MAX_LENGTH, MAX_NODES, MAX_DEPTH = 20_000, 2_000, 60


def parse(expression: str) -> Ast:
    """Parse the whole text; raise FhirPathSyntaxError with the offset of the first fault."""
    if len(expression) > MAX_LENGTH:
        raise FhirPathSyntaxError(f"The expression is longer than {MAX_LENGTH} characters")
    parser = _Parser(expression)
    tree = parser.binary(0)
    parser.expect("")
    return tree


class _Parser:
    """A cursor over the tokens; one method per rule of the grammar."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = list(tokens(expression))
        self.position = 0
        self.nodes = 0
        self.depth = 0

    def binary(self, lowest: int) -> Ast:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fault(f"The expression is nested more than {MAX_DEPTH} deep")
        left = self.unary()
        while (level := self.level()) is not None and level >= lowest:
            operator = self.next()
            if operator.text in ("is", "as"):
                left = TypeTest(operator.text, left, self.type_name(), operator.at)
            else:
                left = Binary(operator.text, left, self.binary(level + 1), operator.at)
            self.count()
        self.depth -= 1
        return left

    def level(self) -> int | None:
        token = self.tokens[self.position]
        return PRECEDENCE.get(token.text) if token.kind in ("symbol", "name") else None

    def unary(self) -> Ast:
        token = self.tokens[self.position]
        if token.kind == "symbol" and token.text in "+-":
            self.next()
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.fault(f"The expression is nested more than {MAX_DEPTH} deep")
            operand = self.unary()
            self.depth -= 1
            return Unary(token.text, operand, token.at)
        return self.path()

    def path(self) -> Ast:
        node = self.term()
        while True:
            self.count()
            if self.accept("."):
                node = self.invocation(node)
            elif self.accept("["):
                at = self.tokens[self.position - 1].at
                node = Indexer(node, self.binary(0), at)
                self.expect("]")
            else:
                return node

    def term(self) -> Ast:
        start = self.position
        token = self.next()
        match token.kind:
            case "number":
                return self.number(token)
            case "string":
                return Literal(unquote(token, self.expression), token.at)
            case "temporal":
                return TemporalLiteral(token.text[1:], token.at)
            case "special":
                return Special(token.text[1:], token.at)
            case "name" if token.text in ("true", "false"):
                return Literal(token.text == "true", token.at)
            case "symbol" if token.text == "(":
                node = self.binary(0)
                self.expect(")")
                return node
            case "symbol" if token.text == "{":
                self.expect("}")
                return Nothing(token.at)
            case "symbol" if token.text == "%":
                return self.constant(token.at)
        self.position = start
        return self.invocation(None)

    def number(self, token: Token) -> Ast:
        following = self.tokens[self.position]
        if following.kind == "string":
            self.next()
            unit = unquote(following, self.expression)
            return QuantityLiteral(Decimal(token.text), unit, False, token.at)
        if following.kind == "name" and following.text in CALENDAR_UNITS:
            self.next()
            return QuantityLiteral(Decimal(token.text), following.text, True, token.at)
        if "." in token.text:
            return Literal(Decimal(token.text), token.at)
        if len(token.text) > 18:
            raise FhirPathSyntaxError("This integer is too large", token.at, self.expression)
        return Literal(int(token.text), token.at)

    def constant(self, at: int) -> Ast:
        token = self.next()
        if token.kind in ("quoted", "string"):
            return Constant(unquote(token, self.expression), at)
        if token.kind == "name":
            return Constant(token.text, at)
        raise self.unexpected(token, "a name after %")

    def invocation(self, source: Ast | None) -> Ast:
        token = self.next()
        if token.kind == "special" and source is not None:
            raise self.unexpected(token, "an element or function")
        if token.kind == "quoted":
            return Member(source, unquote(token, self.expression), token.at)
        if token.kind != "name":
            raise self.unexpected(token, "an element, a function or a value")
        if self.accept("("):
            return Call(source, token.text, self.arguments(), token.at)
        return Member(source, token.text, token.at)

    def arguments(self) -> tuple[Ast, ...]:
        if self.accept(")"):
            return ()
        found = [self.argument()]
        while self.accept(","):
            found.append(self.argument())
        self.expect(")")
        return tuple(found)

    def argument(self) -> Ast:
        node = self.binary(0)
        token = self.tokens[self.position]
        if token.kind == "name" and token.text in ("asc", "desc"):
            self.next()
            return Unary(token.text, node, token.at)
        return node

    def type_name(self) -> TypeName:
        parts = [self.identifier()]
        if self.accept("."):
            parts.append(self.identifier())
        return TypeName("", parts[0]) if len(parts) == 1 else TypeName(*parts)

    def identifier(self) -> str:
        token = self.next()
        if token.kind == "quoted":
            return unquote(token, self.expression)
        if token.kind != "name":
            raise self.unexpected(token, "a type name")
        return token.text

    def next(self) -> Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def accept(self, symbol: str) -> bool:
        token = self.tokens[self.position]
        if token.kind != "symbol" or token.text != symbol:
            return False
        self.position += 1
        return True

    def expect(self, symbol: str) -> None:
        token = self.tokens[self.position]
        if token.text != symbol or token.kind not in ("symbol", "end"):
            raise self.unexpected(token, repr(symbol) if symbol else "an operator or the end")
        self.next()

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fault(f"The expression has more than {MAX_NODES} parts")

    def unexpected(self, token: Token, wanted: str) -> FhirPathSyntaxError:
        found = repr(token.text) if token.kind != "end" else "the end"
        return FhirPathSyntaxError(f"Expected {wanted}, found {found}", token.at, self.expression)

    def fault(self, message: str) -> FhirPathSyntaxError:
        return FhirPathSyntaxError(message, self.tokens[self.position].at, self.expression)
