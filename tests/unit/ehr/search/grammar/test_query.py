"""What a search understands, and how it refuses the rest."""

from typing import Any

import pytest

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.query import parse
from ehr.search.request import Chain, Criterion, Reverse, SearchRequest
from ehr.search.values.escapes import alternatives


def request(text: str, *types: str, **more: Any) -> SearchRequest:
    pairs: Any = tuple(tuple(pair.split("=", 1)) for pair in text.split("&"))
    return parse(types or ("Observation",), pairs, **more)


def test_a_criterion_has_its_parameter_modifier_and_alternatives() -> None:
    (criterion,) = request("code:not=http://loinc.org|1-8,2-9").conditions

    assert isinstance(criterion, Criterion)
    assert criterion.parameters[0].code == "code"
    assert criterion.modifier == "not"
    assert criterion.values == ("http://loinc.org|1-8", "2-9")


def test_repeated_criteria_are_all_kept_in_order() -> None:
    found = request("date=ge2020&date=lt2021").conditions

    assert [one.written for one in found] == [("date", "ge2020"), ("date", "lt2021")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (r"a\,b,c", (r"a\,b", "c")),
        (r"a\\,b", (r"a\\", "b")),
        ("a,", ("a", "")),
        ("", ("",)),
        ("a\\", ("a\\",)),
    ],
)
def test_values_are_split_at_commas_that_no_backslash_protects(
    text: str, parts: tuple[str, ...]
) -> None:
    assert alternatives(text) == parts


def test_several_types_share_a_parameter() -> None:
    found = parse((), (("_type", "Patient,Observation"), ("_lastUpdated", "gt2020")))

    assert found.types == ("Patient", "Observation")
    assert isinstance(found.conditions[0], Criterion)
    assert [one.type for one in found.conditions[0].parameters] == ["Patient", "Observation"]


def test_controls_are_read() -> None:
    found = request("_count=5&_sort=-date,_id&_summary=data&_total=accurate&_elements=status,value")

    assert found.count == 5
    assert [(key.code, key.descending) for key in found.sort] == [("date", True), ("_id", False)]
    assert (found.summary, found.total) == ("data", "accurate")
    assert found.elements == ("status", "value")


@pytest.mark.parametrize(
    ("text", "count"), [("00", 0), ("007", 7), ("99999999999", 10**9), ("9" * 5000, 10**9)]
)
def test_any_whole_number_counts(text: str, count: int) -> None:
    assert request(f"_count={text}").count == count


@pytest.mark.parametrize("text", ["_summary=count", "_count=0"])
def test_only_the_number_may_be_asked_for(text: str) -> None:
    assert request(text).counts_only


def test_a_chain_leads_to_the_targets_that_know_the_parameter() -> None:
    (chain,) = request("subject.birthdate=1948").conditions

    assert isinstance(chain, Chain)
    assert [target for target, _ in chain.inner] == ["Patient"]


def test_a_typed_chain_may_go_on() -> None:
    (chain,) = request("encounter:Encounter.service-provider:Organization.name=x").conditions

    assert isinstance(chain, Chain)
    assert isinstance(chain.inner[0][1], Chain)


def test_has_names_a_source_and_its_reference() -> None:
    (has,) = request("_has:Observation:patient:code=1", "Patient").conditions

    assert isinstance(has, Reverse)
    assert has.parameter.type == "Observation"
    assert isinstance(has.inner, Criterion)


def test_includes_are_read() -> None:
    found = request(
        "_include=Observation:subject:Patient&_include:iterate=Patient:general-practitioner"
        "&_include=*&_revinclude=Provenance:target&_include=Observation:*"
    ).includes

    assert [(one.source, one.reverse, one.iterate, one.target) for one in found] == [
        ("Observation", False, False, "Patient"),
        ("Patient", False, True, None),
        (None, False, False, None),
        ("Provenance", True, False, None),
        ("Observation", False, False, None),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dat=2020", "Unknown search parameter `dat` for Observation. Did you mean `date`?"),
        ("foo=1", "Unknown search parameter `foo` for Observation. Supported: "),
        ("_page=2", "Pages are followed by the `next` link"),
        ("_getpages=a", "Pages are followed by the `next` link"),
        ("_pageSize=9", "Pages are followed by the `next` link"),
        ("Status=final", "Did you mean `status`?"),
        ("_totalMethod=x", "Unknown search parameter `_totalMethod` for Observation. Supported: "),
        ("code:exact=1", "Unknown modifier `exact` of `code`, a token parameter. Supported: above"),
        ("subject:Patient.name:text=m", "a string parameter. Supported: contains, exact, missing."),
        ("subject:Patient.name:exat=m", "a string parameter. Did you mean `exact`?"),
        ("code:type=1", "Unknown modifier `type` of `code`, a token parameter. Supported: above"),
        ("_has:Zzz:patient:status=1", " more."),
        ("date:contains=2020", "Unknown modifier `contains` of `date`, a date parameter."),
        ("subject:Organization=1", "Unknown modifier `Organization` of `subject`"),
        ("code=", "`code` has an empty value"),
        ("code=a,,b", "`code` has an empty value"),
        ("code:missing=yes", "must be `true` or `false`"),
        ("_count=-1", "`_count` is `-1`"),
        ("_count=x", "`_count` is `x`"),
        ("_count=1&_count=2", "`_count` is given more than once"),
        ("_sort=cod", "Unknown sort parameter `cod` in `_sort`"),
        ("_sort=date,-date", "names a parameter twice"),
        ("_summary=yes", "Unknown value `yes` of `_summary`"),
        ("_total=exact", "Unknown value `exact` of `_total`"),
        ("_elements=staus", "Unknown element `staus` of Observation in `_elements`. Did you mean"),
        ("_elements=foo", "Unknown element `foo` of Observation in `_elements`. Supported: based"),
        ("_elements=subject.reference", "only whole ones of the top level can be asked for. Did"),
        ("_elements=Observation.subject.reference", "Did you mean `subject`?"),
        ("_pretty=yes", "Unknown value `yes` of `_pretty`. Supported: false, true."),
        ("_contained=true", "`_contained=true` is not supported"),
        ("_containedType=container", "`_containedType` is not supported"),
        ("_type=Patient", "The path already names the type"),
        ("_include=Observation", "must be `Type:parameter`"),
        ("_include=Observation:code", "Unknown reference parameter `code` of Observation"),
        ("_include=Observation:subject:Slot", "Unknown target type `Slot` of `subject`"),
        ("_include=Observaton:subject", "Did you mean `Observation`?"),
        ("_include=Encounter:subject", "nothing to start from"),
        ("_include:recurse=Observation:subject", "Unknown modifier `recurse`"),
        ("_revinclude=Coverage:beneficiary", "nothing to start from"),
        ("code.name=1", "`code` for Observation is no reference"),
        (
            "subject.nam=1",
            "Unknown search parameter `nam` for the targets of `subject` (Device, Group",
        ),
        ("subject:Patient.nam=1", "Unknown search parameter `nam` for Patient"),
        ("subject:Slot.name=1", "Unknown target type `Slot` of `subject`"),
        ("_has:Observation=1", "is incomplete"),
        ("_has:Observation:code:status=1", "is no reference"),
        ("_has:Obs:patient:status=1", "Unknown resource type `Obs`"),
        ("_has:Observation:patient:code=1", "never refers to Observation"),
        ("_query=x", "no named queries"),
        ("_filter=x", "there should be an operator"),
        ("_list=$current-allergies", "keeps no functional lists"),
        ("_list=List/42", "the id of a List, without the type"),
        ("_list=", "empty value"),
        ("_list:not=42", "Unknown search parameter `_list"),
        ("=x", "Unknown search parameter ``"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        request(text)

    assert said in str(refused.value)
    assert refused.value.status == 400


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        request("dat=2020&_count=x&code:foo=1")

    assert len(refused.value.issues) == 3


def test_the_valid_names_are_listed() -> None:
    with pytest.raises(Invalid, match="value-quantity") as refused:
        request("nonsense=1")

    assert "_include" in str(refused.value)
    assert "_cursor" not in str(refused.value)


def test_a_search_is_told_of_lenient_handling_and_a_condition_is_not() -> None:
    for is_search in (True, False):
        with pytest.raises(Invalid) as refused:
            parse(("Patient",), (("foo", "1"), ("_count", "x")), passes_over_empty=is_search)

        unknown, wrong_value = (issue.diagnostics for issue in refused.value.issues)
        assert unknown.endswith("`Prefer: handling=lenient` would pass over it.") == is_search
        assert "Prefer" not in wrong_value


def test_lenient_handling_leaves_out_what_is_not_understood_and_says_so() -> None:
    found = request("dat=2020&status=final&_count=x", lenient=True)

    assert found.understood == (("status", "final"),)
    assert [issue.severity for issue in found.ignored] == ["warning", "warning"]
    assert "`dat`" in found.ignored[0].diagnostics


def test_lenient_handling_never_turns_wrong_types_into_all_types() -> None:
    with pytest.raises(Invalid, match="Patent"):
        parse((), (("_type", "Patent"),), lenient=True)


@pytest.mark.parametrize(
    "text",
    [
        "code=" + ",".join(["a"] * 1001),
        "&".join(["code=1"] * 101),
        "&".join(["code=" + ",".join(["a"] * 900)] * 3),
        "_has:Observation:has-member:" * 6 + "_id=1",
        "subject.".join([""] * 6) + "name=1",
        "focus.focus.status=final",
    ],
    ids=["values", "parameters", "all-values", "hops", "chain", "branches"],
)
def test_limits_are_told(text: str) -> None:
    with pytest.raises(TooCostly) as refused:
        request(text)

    assert refused.value.issues[0].code == "too-costly"


def test_what_is_quoted_is_short_and_has_no_control_characters() -> None:
    with pytest.raises(Invalid) as refused:
        request("\x07" + "x" * 5000 + "=1")

    assert len(str(refused.value)) < 2500
    assert "\x07" not in str(refused.value)
