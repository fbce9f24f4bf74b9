"""Syntax tree → FHIRPath text: `parse(render(tree)) == tree`."""

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
    TypeName,
    TypeTest,
    Unary,
)


def render(node: Ast) -> str:
    """Write the tree as text, with every operand in parentheses that may need them."""
    match node:
        case Nothing():
            return "{}"
        case Literal(value=bool() as value):
            return "true" if value else "false"
        case Literal(value=str() as value):
            return _quoted(value, "'")
        case Literal(value=value):
            return format(value, "f") if not isinstance(value, int) else str(value)
        case TemporalLiteral(text=text):
            return f"@{text}"
        case QuantityLiteral(value=value, unit=unit, calendar=calendar):
            return f"{value:f} {unit if calendar else _quoted(unit, chr(39))}"
        case Special(name=name):
            return f"${name}"
        case Constant(name=name):
            return "%" + _quoted(name, "`")
        case Member(source=source, name=name):
            return _after(source) + _quoted(name, "`")
        case Call(source=source, name=name, arguments=arguments):
            return f"{_after(source)}{name}({', '.join(map(render, arguments))})"
        case Indexer(source=source, index=index):
            return f"{_operand(source)}[{render(index)}]"
        case Unary(operator="asc" | "desc" as order, operand=operand):
            return f"{render(operand)} {order}"
        case Unary(operator=operator, operand=operand):
            return f"{operator}{_operand(operand)}"
        case Binary(operator=operator, left=left, right=right):
            return f"{_operand(left)} {operator} {_operand(right)}"
        case TypeTest(operator=operator, operand=operand, type=type_name):
            return f"{_operand(operand)} {operator} {_type(type_name)}"


def _after(source: Ast | None) -> str:
    return "" if source is None else _operand(source) + "."


def _operand(node: Ast) -> str:
    bare = Member | Call | Special | Constant | Nothing
    return render(node) if isinstance(node, bare) else f"({render(node)})"


def _type(name: TypeName) -> str:
    own = _quoted(name.name, "`")
    return f"{_quoted(name.namespace, '`')}.{own}" if name.namespace else own


def _quoted(text: str, mark: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(mark, "\\" + mark)
    return f"{mark}{escaped}{mark}"
