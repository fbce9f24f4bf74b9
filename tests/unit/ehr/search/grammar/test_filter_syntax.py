"""The grammar of `_filter`: what is read as what, and that nothing else gets through."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.filter_syntax import (
    OPERATORS,
    Both,
    Either,
    Expression,
    FilterTest,
    Negated,
    Step,
    parse_filter,
)

A, B, C = (FilterTest((Step(name),), "eq", "1") for name in "abc")

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("not", "and", "or")
)
BARE = st.from_regex(r'[^\s\[\]()"][^\s\])]{0,8}', fullmatch=True)
VALUES = BARE | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def _tests(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    steps = st.lists(st.builds(Step, NAMES, st.none() | inner), max_size=2)
    last = st.builds(Step, NAMES)
    paths = st.builds(lambda some, one: (*some, one), steps, last)
    return st.builds(FilterTest, paths, st.sampled_from(OPERATORS), VALUES)


def _groups(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return (
        st.builds(Negated, inner)
        | several.map(lambda parts: _flat(Both, parts))
        | several.map(lambda parts: _flat(Either, parts))
        | _tests(inner)
    )


def _flat(kind: type[Both] | type[Either], parts: tuple[Expression, ...]) -> Expression:
    """Join as the reader does: what begins with a group of the same kind goes on with it."""
    first, *rest = parts
    return kind((*first.parts, *rest)) if isinstance(first, kind) else kind(parts)


EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.builds(
        FilterTest, NAMES.map(lambda name: (Step(name),)), st.sampled_from(OPERATORS), VALUES
    ),
    _groups,
    max_leaves=6,
)


def written(what: Expression, space: str = " ") -> str:
    """Write an expression; every group has its parentheses."""
    match what:
        case FilterTest():
            path = ".".join(
                step.name + (f"[{space}{written(step.where, space)}{space}]" if step.where else "")
                for step in what.path
            )
            value = what.value
            is_bare = value and not set(value) & set(' "()[]') and not value[0].isspace()
            is_bare = is_bare and value.isascii() and value.isprintable()
            return f"{path}{space}{what.operator}{space}{value if is_bare else json.dumps(value)}"
        case Negated():
            return f"not{space}({written(what.part, space)}{space})"
        case Both() | Either():
            word = "and" if isinstance(what, Both) else "or"
            return f" {word} ".join(f"({written(part, space)})" for part in what.parts)


@given(EXPRESSIONS, st.sampled_from([" ", "  ", "\t", " \n"]))
def test_what_is_written_is_read(expression: Expression, space: str) -> None:
    assert parse_filter(f"{space}{written(expression, space)}{space}") == expression


@given(st.text(max_size=60) | st.text('abeqnot ()[]."\\1', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid, TooCostly):
        assert parse_filter(written(parse_filter(text))) == parse_filter(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a eq 1 or b eq 1 and c eq 1", Both((Either((A, B)), C))),
        ("a eq 1 and b eq 1 or c eq 1", Either((Both((A, B)), C))),
        ("a eq 1 or (b eq 1 and c eq 1)", Either((A, Both((B, C))))),
        ("a eq 1 and (b eq 1 or c eq 1)", Both((A, Either((B, C))))),
        ("not (a eq 1) and b eq 1", Both((Negated(A), B))),
        ("not(a eq 1 or b eq 1)", Negated(Either((A, B)))),
        ("((a eq 1))and(b eq 1)", Both((A, B))),
        ("a eq 1 and b eq 1 and c eq 1", Both((A, B, C))),
    ],
)
def test_logic_goes_from_left_to_right(text: str, expected: Expression) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('name co "pet"', "pet"),
        (r'name co "a \"b\" (c] \u00e9"', 'a "b" (c] é'),
        ("code eq http://loinc.org|1234-5", "http://loinc.org|1234-5"),
        ("date ge 2014-10-10T10:00:00+01:00", "2014-10-10T10:00:00+01:00"),
        ('name eq O"Neill', 'O"Neill'),
        ("name eq and", "and"),
    ],
)
def test_values_are_strings_or_run_to_a_space(text: str, value: str) -> None:
    read = parse_filter(text)

    assert isinstance(read, FilterTest)
    assert read.value == value


def test_a_path_may_have_filters() -> None:
    read = parse_filter("related[type eq has-component].target.name pr true")

    where = FilterTest((Step("type"),), "eq", "has-component")
    assert read == FilterTest((Step("related", where), Step("target"), Step("name")), "pr", "true")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at its end: there should be the name"),
        ("name", "at its end: there should be an operator"),
        ("name is x", "Unknown operator `is`"),
        ("name eqq x", "Did you mean `eq`?"),
        ("name eq", "at its end: there should be a value"),
        ("name eq a b", "character 10, before `b`: there should be `and`, `or` or the end"),
        ('name eq "a', "JSON string with both its quotation marks"),
        ("(name eq a", "at its end: there should be `)`"),
        ("name eq a)", "before `)`"),
        ("not name eq a", "`(` after `not`"),
        ("name[a eq b] eq c", "there should be `.`"),
        ("name[a eq b.c eq d", "there should be `]`"),
        ("name..x eq a", "the name of a search parameter"),
        ("subject:Patient.name eq a", "no modifier and no type"),
        ("1name eq a", "the name of a search parameter"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_filter(text)

    assert said in caught.value.issues[0].diagnostics


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(["a eq 1"] * 51),
        "(" * 11 + "a eq 1" + ")" * 11,
        "a[" * 11 + "a eq 1" + "].a eq 1" * 11,
        "a eq " + "x" * 9000,
    ],
    ids=["tests", "parentheses", "brackets", "length"],
)
def test_a_filter_beyond_the_limits_is_too_costly(text: str) -> None:
    with pytest.raises(TooCostly):
        parse_filter(text)
