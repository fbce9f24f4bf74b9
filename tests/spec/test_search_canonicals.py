"""Canonicals lead to the definitions whose url they are: chains, `_has`, includes.

FHIR R4 §3.1.1.4.12: "servers … SHOULD support automatically detecting a |[version] portion … and
interpreting that portion as a search on the business version of the target resource".
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client
from tests.counting import is_of_audit
from tests.spec.test_search import names

URL = "https://example.org/forms/falls"


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none", "EHR_BASE_URL": "http://localhost/fhir"}


@pytest.fixture
def forms(client: Client) -> None:
    """Two versions of one form, another one, and answers that name them in all ways."""
    for id, url, version, title in (
        ("one", URL, "1.0", "Falls"),
        ("two", URL, "Draft", "Falls again"),
        ("other", URL + "/other", "1.0", "Frailty"),
    ):
        client.update(
            {
                "resourceType": "Questionnaire",
                "id": id,
                "url": url,
                "version": version,
                "title": title,
                "status": "active",
            }
        )
    client.update(given.patient(id="mary"))
    for id, form in {
        "any": URL,
        "first": f"{URL}|1.0",
        "second": f"{URL}|DRAFT",
        "gone": f"{URL}|9",
        "here": "http://localhost/fhir/Questionnaire/other",
        "relative": "Questionnaire/other|1.0",
        "inside": "#q",
    }.items():
        inner = {"resourceType": "Questionnaire", "id": "q", "status": "draft", "title": "Inner"}
        client.update(
            {
                "resourceType": "QuestionnaireResponse",
                "id": id,
                "status": "completed",
                "questionnaire": form,
                "subject": {"reference": "Patient/mary"},
            }
            | ({"contained": [inner]} if form == "#q" else {})
        )


def found(bundle: dict[str, Any], mode: str = "match") -> str:
    return " ".join(sorted(name.partition("/")[2] for name in names(bundle, mode)))


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize(
    ("condition", "answers"),
    [
        ("questionnaire.title=falls", "any first second"),
        ("questionnaire.title:exact=Falls", "any first"),
        ("questionnaire:Questionnaire.version=draft", "any second"),
        ("questionnaire.title=frailty", "here relative"),
        ("questionnaire.title=inner", "inside"),
        ("patient=mary&questionnaire.title:exact=Falls", "any first"),
        ("questionnaire.title:not=x", None),
        (f"questionnaire={URL}", "any first gone second"),
        (f"questionnaire={URL}|draft", "second"),
        ("questionnaire=http://localhost/fhir/Questionnaire/other", "here relative"),
        ("questionnaire=other", "here relative"),
        ("questionnaire:missing=true", ""),
        ("_filter=questionnaire.title eq falls", "any first"),
    ],
)
def test_chains_lead_through_canonicals(
    client: Client, condition: str, answers: str | None
) -> None:
    response = client.get(f"QuestionnaireResponse?{condition}")

    if answers is None:
        assert response.status_code == 400
    else:
        assert found(response.get_json()) == answers


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize(
    ("answer", "forms_meant"),
    [
        ("any", "one two"),
        ("first", "one"),
        ("second", "two"),
        ("gone", ""),
        ("here", "other"),
        ("relative", "other"),
        ("inside", ""),
    ],
)
def test_what_answers_name_has_them_and_comes_along(
    client: Client, answer: str, forms_meant: str
) -> None:
    link = "QuestionnaireResponse:questionnaire"

    assert found(client.read(f"Questionnaire?_has:{link}:_id={answer}")) == forms_meant
    for include in (link, "QuestionnaireResponse:*", "*"):
        bundle = client.read(f"QuestionnaireResponse?_id={answer}&_include={include}")
        assert set(found(bundle, "include").split()) - {"mary"} == set(forms_meant.split())
    iterated = f"_revinclude=QuestionnaireResponse:patient&_include:iterate={link}"
    bundle = client.read(f"Patient?{iterated}")
    assert set(forms_meant.split()) <= set(found(bundle, "include").split())


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize(
    ("form", "answers"), [("one", "any first"), ("two", "any second"), ("other", "here relative")]
)
def test_answers_come_along_with_the_form_that_they_name(
    client: Client, form: str, answers: str
) -> None:
    for include in ("QuestionnaireResponse:questionnaire", "*"):
        bundle = client.read(f"Questionnaire?_id={form}&_revinclude={include}")
        assert found(bundle, "include") == answers


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize(
    ("request_text", "most"),
    [
        ("QuestionnaireResponse?questionnaire.title=falls", 3 + 1),
        ("Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed", 3 + 1),
        # A round, what it leads to by name, and the bodies.
        ("QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire", 3 + 1 + 1),
        ("Questionnaire?_revinclude=QuestionnaireResponse:questionnaire", 3 + 1 + 1),
    ],
)
def test_a_canonical_is_one_hop(
    client: Client, statements: Callable[[], Any], request_text: str, most: int
) -> None:
    client.read(request_text)
    with statements() as seen:
        client.read(request_text)

    asked = [sql for sql in seen if not is_of_audit(sql)]
    assert len(asked) <= most, asked
