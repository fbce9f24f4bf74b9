"""The FHIRPath grammar: trees, positions of errors, limits, and any text at all."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.fhirpath import FhirPathError, FhirPathSyntaxError, compile
from fhir_profiles.fhirpath.parser import parse
from fhir_profiles.fhirpath.printer import render
from fhir_profiles.fhirpath.syntax import (
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

_names = st.sampled_from(["name", "given", "Patient", "contains", "as", "a b", "div", "where"])
_leaves = st.one_of(
    st.just(Nothing()),
    st.booleans().map(Literal),
    st.text(max_size=8).map(Literal),
    st.integers(0, 2**31 - 1).map(Literal),
    st.decimals(0, 10**6, places=3).map(Literal),
    st.sampled_from(["2015", "2015-02-04T14:34:28.123+10:00", "T14:34"]).map(TemporalLiteral),
    st.builds(QuantityLiteral, st.just(Decimal("4.5")), st.just("mg"), st.just(False)),
    st.builds(QuantityLiteral, st.just(Decimal(4)), st.just("days"), st.just(True)),
    st.sampled_from(["this", "index", "total"]).map(Special),
    st.sampled_from(["resource", "vs-a`b"]).map(Constant),
    st.builds(Member, st.none(), _names),
)


def _above(below: st.SearchStrategy[Ast]) -> st.SearchStrategy[Ast]:
    operators = st.sampled_from(["|", "+", "and", "implies", "contains", "!~", "div", "<="])
    return st.one_of(
        st.builds(Member, below, _names),
        st.builds(Call, st.none() | below, _names, st.lists(below, max_size=2).map(tuple)),
        st.builds(Indexer, below, below),
        st.builds(Unary, st.sampled_from(["+", "-"]), below),
        st.builds(Binary, operators, below, below),
        st.builds(
            TypeTest,
            st.sampled_from(["is", "as"]),
            below,
            st.builds(TypeName, st.sampled_from(["", "FHIR"]), st.just("Patient")),
        ),
    )


@given(st.recursive(_leaves, _above, max_leaves=10).filter(lambda tree: "a b(" not in render(tree)))
def test_a_tree_written_and_read_again_is_the_same(tree: Ast) -> None:
    assert parse(render(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_parses_or_says_where_it_is_wrong(text: str) -> None:
    position = 0

    try:
        compile(text)
    except FhirPathSyntaxError as error:
        position = error.position

    assert -1 <= position <= len(text)


_fragments = st.lists(
    st.sampled_from(
        [
            "name",
            ".",
            "given",
            "(",
            ")",
            "[",
            "0",
            "]",
            "'a'",
            "where",
            "$this",
            "%resource",
            "|",
            "+",
            "-",
            "*",
            "/",
            "=",
            "~",
            "is",
            "as",
            "Patient",
            "first()",
            "count()",
            "1.5",
            "{}",
            "@2015",
            "descendants()",
            "repeat(",
            "children()",
            "and",
            "iif(",
            ",",
            "ofType(",
            "toInteger()",
            "lowBoundary()",
            "aggregate(",
            "$total",
            "power(",
            "round(",
            "sort()",
            "birthDate",
            "7",
        ]
    ),
    max_size=14,
)


@given(_fragments)
def test_evaluation_raises_nothing_but_its_own_error(fragments: list[str]) -> None:
    resource = {
        "resourceType": "Patient",
        "birthDate": "1970-02-30",
        "name": [{"given": ["a", None], "_given": [None, {"id": "1"}]}, {"family": 3}, "odd"],
        "contact": {"name": []},
    }

    with suppress(FhirPathError):
        compile(" ".join(fragments)).evaluate(resource)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("name.", 5),
        ("name..given", 5),
        ("name.given(", 11),
        ("name given", 5),
        ("'open", 0),
        ("'\\q'", 1),
        ("a and", 5),
        ("@2015-13", 0),
        ("1 is Foo", 2),
        ("name.nothing()", 5),
        ("first(1)", 0),
        ("$that", 0),
        ("{1}", 1),
        ("name asc", 5),
        ("%", 1),
    ],
)
def test_an_error_says_where(text: str, position: int) -> None:
    with pytest.raises(FhirPathSyntaxError) as caught:
        compile(text)

    assert caught.value.position == position


def test_an_error_in_a_later_line_names_line_and_column() -> None:
    with pytest.raises(FhirPathSyntaxError, match=r"line 2, column 4"):
        compile("name\n  ..given")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "a" + ".a" * 5000,
        "+".join(["1"] * 5000),
        "x" * 30_000,
        "a.where(" * 200 + "true" + ")" * 200,
        "9" * 50,
    ],
    ids=["parentheses", "signs", "path", "sum", "length", "nesting", "digits"],
)
def test_an_oversized_expression_is_refused(text: str) -> None:
    with pytest.raises(FhirPathSyntaxError):
        compile(text)


def test_operators_bind_as_specified() -> None:
    assert parse("1+2*3 > 4 | 5 and a is B implies c") == parse(
        "(((1+(2*3)) > (4 | 5)) and (a is B)) implies c"
    )
    assert parse("-1.abs()") == Unary("-", Call(Literal(1), "abs", ()))
    assert parse("1 > 2 is Boolean") == Binary(
        ">", Literal(1), TypeTest("is", Literal(2), TypeName("", "Boolean"))
    )
