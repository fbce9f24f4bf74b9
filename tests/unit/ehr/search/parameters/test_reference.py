"""Reference and uri parameters: targets of texts, rows, paths of a parameter, forms of a search."""

import pytest

from ehr.errors import Invalid
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.values.targets import Target, canonical_target, reference_target
from ehr.store.rows import ReferenceRow
from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import for_type
from tests.unit.ehr.search.search_rows import BASE, HASHER, of_param, param, rows_of, sql


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Patient/1", Target("Patient", "1")),
        ("Patient/1/_history/2", Target("Patient", "1", None, "2")),
        ("Patient/1#part", Target("Patient", "1")),
        (f"{BASE}/Patient/1", Target("Patient", "1")),
        (f"{BASE}/Patient/1/_history/2", Target("Patient", "1", None, "2")),
        ("http://there/fhir/Patient/1", Target("Patient", None, "http://there/fhir/Patient/1")),
        (
            "http://there/fhir/Patient/1/_history/2",
            Target("Patient", None, "http://there/fhir/Patient/1", "2"),
        ),
        ("urn:uuid:c757873d-ec9a", Target(url="urn:uuid:c757873d-ec9a")),
        ("Patient?identifier=1", Target(url="Patient?identifier=1")),
        ("Nonsense/1", Target(url="Nonsense/1")),
        ("patient/1", Target(url="patient/1")),
        ("Patient/" + "x" * 65, Target(url="Patient/" + "x" * 65)),
        ("Patient/a b", Target(url="Patient/a b")),
        ("http://x/Patient?q=/Patient/1", Target(url="http://x/Patient?q=/Patient/1")),
        ("#contained", None),
        ("#", None),
        ("", None),
    ],
)
def test_reference_text_names_a_target(text: str, target: Target | None) -> None:
    assert reference_target(text, (BASE,)) == target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://x/Q|1.0", Target(url="http://x/Q", version="1.0")),
        ("http://x/Q|1.0#part", Target(url="http://x/Q", version="1.0")),
        ("http://x/Q", Target(url="http://x/Q")),
        ("http://x/Q|", Target(url="http://x/Q")),
        ("Questionnaire/1", Target("Questionnaire", "1")),
        ("#contained", None),
    ],
)
def test_canonical_text_names_a_target(text: str, target: Target | None) -> None:
    assert canonical_target(text) == target


def test_reference_has_one_row_whichever_parameters_select_it() -> None:
    rows = rows_of({"resourceType": "Observation", "subject": {"reference": "Patient/1"}})

    assert rows.reference == [
        ReferenceRow(stable_id("Observation.subject"), "Patient", "1", None, None, None)
    ]
    assert reference_paths(for_type("Observation")["subject"]) == (
        (stable_id("Observation.subject"), None),
    )
    assert reference_paths(for_type("Observation")["patient"]) == (
        (stable_id("Observation.subject"), "Patient"),
    )


def test_choice_element_has_the_path_of_the_choice() -> None:
    rows = rows_of(
        {"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/1"}}
    )
    (path,) = reference_paths(for_type("MedicationRequest")["medication"])

    assert [(row.path, None) for row in rows.reference] == [path]


def test_identifier_and_type_stand_without_a_text() -> None:
    logical = {"type": "Patient", "identifier": {"system": "s", "value": "1"}}
    rows = rows_of({"resourceType": "Observation", "subject": logical})

    value, system = HASHER.text("1"), HASHER.text("s")
    path = stable_id("Observation.subject")
    assert rows.reference == [ReferenceRow(path, "Patient", None, None, None, value, system)]


def test_display_alone_has_no_row() -> None:
    assert rows_of({"resourceType": "Observation", "subject": {"display": "Ann"}}).reference == []


def test_contained_targets_are_led_to_by_their_place() -> None:
    inside = {"resourceType": "Patient", "id": "p", "generalPractitioner": [{"reference": "#"}]}
    rows = rows_of(
        {
            "resourceType": "Observation",
            "contained": [inside, {**inside, "generalPractitioner": []}],
            "subject": {"reference": "#p"},
            "encounter": {"reference": "#gone"},
        }
    )

    found = [(row.path, row.type, row.contained) for row in rows.links()]
    assert found == [
        (stable_id("Observation.subject"), "Patient", 1),
        (stable_id("Observation.encounter"), None, None),
        (stable_id("Patient.generalPractitioner"), "Observation", 0),
    ]
    assert len(rows.inside) == 1


def test_a_sibling_s_condition_makes_rows_of_the_parameter_s_own() -> None:
    artifacts = [
        {"type": "depends-on", "resource": "http://x/a|2"},
        {"type": "derived-from", "resource": "http://x/b"},
    ]
    rows = rows_of({"resourceType": "Library", "relatedArtifact": artifacts})

    own = {row.path: (row.url, row.version) for row in rows.reference}
    assert own == {
        param("Library.depends-on"): ("http://x/a", "2"),
        param("Library.derived-from"): ("http://x/b", None),
    }


def test_only_the_first_entry_is_the_composition_of_a_bundle() -> None:
    entries = [
        {"resource": {"resourceType": "Composition", "id": "c"}},
        {"resource": {"resourceType": "Patient", "id": "p"}},
    ]
    rows = rows_of({"resourceType": "Bundle", "type": "document", "entry": entries})

    own = [row for row in rows.reference if row.path == param("Bundle.composition")]
    assert own == [
        ReferenceRow(param("Bundle.composition"), "Composition", None, "Composition/c", None, None)
    ]


def test_agent_below_an_entity_is_not_an_agent_of_the_provenance() -> None:
    agent, other = ({"who": {"reference": f"Practitioner/{id}"}} for id in "ab")
    rows = rows_of({"resourceType": "Provenance", "agent": [agent], "entity": [{"agent": [other]}]})
    wanted = dict(reference_paths(for_type("Provenance")["agent"]))

    assert [row.id for row in rows.reference if row.path in wanted] == ["a"]


def test_uri_and_canonical_of_one_choice_are_told_apart() -> None:
    rows = rows_of({"resourceType": "ConceptMap", "sourceUri": "http://x/1"})

    paths = {row.path for row in rows.reference}
    assert param("ConceptMap.source-uri") in paths
    assert param("ConceptMap.source") not in paths


def test_found_target_is_compared_by_its_keys_and_an_unknown_one_by_hash() -> None:
    known = sql("Observation", "patient", "1", resolve=lambda names: {("Patient", "1"): (7, 99)})
    unknown = sql("Observation", "patient", "1")

    assert "target_rid IN (99)" in known
    assert "target_hash" not in known
    assert f"target_hash IN ({HASHER.text('Patient/1')})" in unknown


def test_id_alone_means_every_type_the_parameter_allows() -> None:
    asked: list[tuple[str, str]] = []
    sql("Observation", "subject", "1", resolve=lambda names: asked.extend(names) or {})

    assert sorted(asked) == [(type, "1") for type in ("Device", "Group", "Location", "Patient")]


def test_type_modifier_narrows_an_id() -> None:
    asked: list[tuple[str, str]] = []
    sql("Observation", "subject:Patient", "1", resolve=lambda names: asked.extend(names) or {})

    assert asked == [("Patient", "1")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject", ""),
        ("subject", "#p"),
        ("subject", "Nonsense/1"),
        ("subject", "a b"),
        ("subject:Patient", "Group/1"),
        ("patient", "Practitioner/1"),
        ("subject", "Patient/"),
        ("subject:identifier", "|"),
        ("subject:identifier", "s|t|v"),
        ("subject:Patient", "http://there/fhir/Patient/1"),
        ("subject:above", "Patient/1"),
        ("subject", "\x00"),
    ],
)
def test_malformed_reference_is_refused(name: str, value: str) -> None:
    with pytest.raises(Invalid, match="Parameter"):
        sql("Observation", name, value)


@pytest.mark.parametrize("modifier", ["Practitioner", "exact", "not", "in", "nonsense"])
def test_modifier_that_is_no_target_is_refused(modifier: str) -> None:
    with pytest.raises(Invalid, match=":identifier"):
        sql("Observation", f"subject:{modifier}", "1")


def test_profile_is_found_with_and_without_its_version() -> None:
    rows = rows_of({"resourceType": "Basic", "meta": {"profile": ["http://x/p|1"]}})

    assert {row[1] for row in of_param(rows.uri, "Basic._profile")} == {
        "http://x/p|1",
        "http://x/p",
    }


def test_uri_above_asks_for_each_parent() -> None:
    text = sql("ValueSet", "url:above", "http://x/a/b/c")

    for parent in ("http://x/", "http://x", "http://x/a", "http://x/a/b", "http://x/a/b/c"):
        assert f"'{parent}'" in text
    assert "'http:'" not in text


def test_uri_with_absurdly_many_segments_is_refused() -> None:
    with pytest.raises(Invalid, match="segments"):
        sql("ValueSet", "url:above", "http://x" + "/a" * 60)
