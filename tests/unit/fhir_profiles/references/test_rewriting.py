"""Rewriting links in raw JSON: only typed elements change, and no other byte."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import json_format
from fhir_profiles.references import rewrite
from fhir_profiles.references.rewriting import _replaced_at_once

OLD = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
NEW = "Patient/01J8"
CONDITIONAL = "Patient?identifier=http://s|1"
LINKS = {OLD: NEW, CONDITIONAL: "Patient/2", "http://e/Patient/9": "Patient/9"}
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def rewritten(raw: str, links: dict[str, str] = LINKS) -> str:
    resource = json_format.parse(raw.encode())
    before = json.dumps(resource, default=str)
    changed, value = rewrite(raw.encode(), resource, links)
    assert json_format.parse(changed) == value
    assert json.dumps(resource, default=str) == before
    return changed.decode()


def observation(members: str) -> str:
    return '{"resourceType" : "Observation",\n  ' + members + "}"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (f'"subject":{{"reference":"{OLD}"}}', f'"subject":{{"reference":"{NEW}"}}'),
        (
            f'"subject":{{"reference":"{OLD}"}}, "identifier":[{{"value":"{OLD}"}}]',
            f'"subject":{{"reference":"{NEW}"}}, "identifier":[{{"value":"{OLD}"}}]',
        ),
        (
            '"subject":{"reference":"'
            + OLD.replace(":", "\\u003a")
            + '"}, "valueString":"\\u0041"',
            f'"subject":{{"reference":"{NEW}"}}, "valueString":"\\u0041"',
        ),
        (
            '"subject":{"reference":"http:\\/\\/e\\/Patient\\/9"},"valueString":"a\\/b"',
            '"subject":{"reference":"Patient/9"},"valueString":"a\\/b"',
        ),
        (
            f'"subject":{{"display":"say \\"{OLD}", "reference":"{OLD}"}}',
            f'"subject":{{"display":"say \\"{OLD}", "reference":"{NEW}"}}',
        ),
        (
            f'"valueQuantity":{{"value":1.00,"system":"{OLD}"}}',
            f'"valueQuantity":{{"value":1.00,"system":"{NEW}"}}',
        ),
        (
            f'"meta":{{"profile":["{OLD}","{OLD}|1"]}}',
            f'"meta":{{"profile":["{NEW}","{OLD}|1"]}}',
        ),
        (
            f'"subject":{{"reference":"{CONDITIONAL}"}},"implicitRules":"{CONDITIONAL}"',
            f'"subject":{{"reference":"Patient/2"}},"implicitRules":"{CONDITIONAL}"',
        ),
        (
            f'"contained":[{{"resourceType":"Flag","subject":{{"reference":"{OLD}"}}}}]',
            f'"contained":[{{"resourceType":"Flag","subject":{{"reference":"{NEW}"}}}}]',
        ),
        (
            f'"extension":[{{"url":"{OLD}","valueString":"{OLD}"}}, {{"url":"{OLD}",'
            f'"valueUrl":"{OLD}"}}]',
            f'"extension":[{{"url":"{OLD}","valueString":"{OLD}"}}, {{"url":"{OLD}",'
            f'"valueUrl":"{NEW}"}}]',
        ),
        (f'"subject":{{"reference":"{OLD}#a"}}', f'"subject":{{"reference":"{OLD}#a"}}'),
    ],
    ids=[
        "reference",
        "an identifier stays",
        "escaped",
        "escaped slashes",
        "after an escaped quote",
        "uri",
        "canonical",
        "conditional text in a uri stays",
        "contained",
        "url of an extension stays",
        "fragment stays",
    ],
)
def test_typed_text_changes(members: str, expected: str) -> None:
    assert rewritten(observation(members)) == observation(expected)


@pytest.mark.parametrize(
    ("div", "expected"),
    [
        (
            f'<div {XHTML}><a href="{OLD}">{OLD}</a></div>',
            f'<div {XHTML}><a href="{NEW}">{OLD}</a></div>',
        ),
        (
            f"<div {XHTML}>é<img alt='src=\"{OLD}\"' src = '{OLD}'/>\n</div>",
            f"<div {XHTML}>é<img alt='src=\"{OLD}\"' src = '{NEW}'/>\n</div>",
        ),
        (
            f'<div {XHTML}><a href="{OLD}" title="{OLD}"/><a href="{OLD}"/></div>',
            f'<div {XHTML}><a href="{NEW}" title="{OLD}"/><a href="{NEW}"/></div>',
        ),
        (f'<div {XHTML}><a href="{OLD}#a"/></div>', f'<div {XHTML}><a href="{OLD}#a"/></div>'),
        (f'<div {XHTML}><a href="{OLD}"></div>', f'<div {XHTML}><a href="{OLD}"></div>'),
        (f"<div {XHTML}>href='{OLD}'</div>", f"<div {XHTML}>href='{OLD}'</div>"),
        (
            f'<!DOCTYPE div><div {XHTML}><a href="{OLD}"/></div>',
            f'<!DOCTYPE div><div {XHTML}><a href="{OLD}"/></div>',
        ),
    ],
    ids=["href", "src", "two", "fragment stays", "broken stays", "text stays", "DTD stays"],
)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "plain"])
def test_narrative_links_change(div: str, expected: str, ascii_only: bool) -> None:
    def document(text: str) -> str:
        spelt = json.dumps(text, ensure_ascii=ascii_only)
        return observation(f'"text":{{"status":"empty", "div": {spelt}}},"valueString":"\\/"')

    assert rewritten(document(div)) == document(expected)


def test_narrative_link_is_found_behind_entities() -> None:
    links = {"http://e/a&b": "Patient/'1'&", "Patient?a=b": "Patient/2"}
    div = f"<div {XHTML}><a href='http://e/a&amp;b'/><a href='Patient?a=b'/></div>"

    raw = rewritten(observation(f'"text":{{"div":{json.dumps(div)}}}'), links)

    assert "<a href='Patient/&apos;1&apos;&amp;'/><a href='Patient?a=b'/>" in raw


def test_swapped_texts_do_not_chain() -> None:
    raw = observation('"subject":{"reference":"A/1"},"encounter":{"reference":"B/1"}')

    changed = rewritten(raw, {"A/1": "B/1", "B/1": "A/1"})

    assert changed == observation('"subject":{"reference":"B/1"},"encounter":{"reference":"A/1"}')


def test_other_bytes_are_refused() -> None:
    resource = {"resourceType": "Flag", "subject": {"reference": "é"}}

    with pytest.raises(ValueError, match="not parsed from these bytes"):
        rewrite(b'{"resourceType":"Flag"}', resource, {"é": "a"})
    with pytest.raises(ValueError, match="not parsed from these bytes"):
        rewrite(b'{"resourceType":"Flag","a":{"b":"c","d":"e"}}', resource, {"é": "a"})


def test_nothing_to_change_returns_the_same_objects() -> None:
    raw = observation('"subject":{"reference":"Patient/1"}').encode()
    resource = json_format.parse(raw)

    assert rewrite(raw, resource, LINKS) == (raw, resource)
    assert rewrite(raw, resource, LINKS)[1] is resource


TEXTS = st.sampled_from([OLD, CONDITIONAL, f'"{OLD}', f"\\{OLD}", "Patient/1", 'é"\\/\n', ""])
REFERENCES = st.fixed_dictionaries({}, optional={"reference": TEXTS, "display": TEXTS})
QUANTITIES = st.fixed_dictionaries({}, optional={"value": st.integers(), "system": TEXTS})
OBSERVATIONS = st.fixed_dictionaries(
    {"resourceType": st.just("Observation")},
    optional={
        "subject": REFERENCES,
        "performer": st.lists(REFERENCES, max_size=3),
        "identifier": st.lists(
            st.fixed_dictionaries({"system": TEXTS, "value": TEXTS, "assigner": REFERENCES}),
            max_size=2,
        ),
        "valueQuantity": QUANTITIES,
        "note": st.lists(st.fixed_dictionaries({"text": TEXTS}), max_size=2),
        "contained": st.lists(
            st.fixed_dictionaries({"resourceType": st.just("Flag"), "subject": REFERENCES}),
            max_size=2,
        ),
        OLD: TEXTS,
    },
)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]')


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_random_documents_change_in_links_only(resource: dict[str, Any], random: Any) -> None:
    raw = _spelt(resource, random)
    expected = _replaced(resource, "Observation")

    changed, value = rewrite(raw.encode(), json_format.parse(raw.encode()), LINKS)

    assert value == expected
    assert json_format.parse(changed) == expected
    for before, after in zip(TOKEN.findall(raw), TOKEN.findall(changed.decode()), strict=True):
        assert before == after or json.loads(before) in LINKS


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_fast_and_exact_ways_agree(resource: dict[str, Any], random: Any) -> None:
    from fhir_profiles.references import rewriting

    raw = _spelt(resource, random).encode()
    parsed = json_format.parse(raw)
    changes = rewriting._changes(parsed, LINKS)

    at_once = _replaced_at_once(raw, changes)

    assert at_once in (None, rewriting._replaced_by_token(raw, parsed, changes))


def _replaced(value: Any, kind: str) -> Any:
    """Return the document with its links new: the plainest way to say what is meant."""
    if isinstance(value, list):
        return [_replaced(item, kind) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for name, member in value.items():
        is_reference = kind in ("subject", "performer", "assigner") and name == "reference"
        if is_reference or (name == "system" and "?" not in member):
            changed[name] = LINKS.get(member, member)
        else:
            changed[name] = _replaced(member, name)
    return changed


def _spelt(value: Any, random: Any) -> str:
    """Return JSON with random white space and random escapes."""
    space = random.choice(["", "", " ", "\n\t"])
    if isinstance(value, dict):
        parts = [f"{_spelt(k, random)}:{space}{_spelt(v, random)}" for k, v in value.items()]
        return "{" + space + f",{space}".join(parts) + space + "}"
    if isinstance(value, list):
        return "[" + f"{space},".join(_spelt(item, random) for item in value) + space + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    how = random.choice(["plain", "ascii", "odd"])
    if how == "odd":
        return '"' + "".join(f"\\u{ord(character):04x}" for character in value) + '"'
    text = json.dumps(value, ensure_ascii=how == "ascii")
    return text.replace("/", "\\/") if how == "ascii" else text
