"""Letters, reports and documents, and Binaries that are filed or only referred to."""

from tests.policy.world.labelling import age, meta
from tests.policy.world.making import Author, Making, Resource, concept, day, instant, ref
from tests.policy.world.people import Subject

_LOINC = "http://loinc.org"


def make_documents(making: Making, subject: Subject, measured: list[str]) -> list[str]:
    """Make letters with their content, a composition, a report on what was measured; return the
    names of all."""
    found = [name for _ in range(2) for name in _letter(making, subject)]
    found += [_composition(making, subject), _report(making, subject, measured)]
    if making.chance(0.4):
        found.append(_document(making, subject))
    for name in found:
        if not name.startswith("Binary/"):
            age(making, name, subject.authors)
    return found


def _binary(making: Making, subject: Subject) -> str:
    """Make content that is filed under the patient, or that lies with who sent it."""
    is_filed = making.chance(0.4)
    document: Resource = {
        "resourceType": "Binary",
        **meta(making, share=0.2),
        "contentType": "text/plain",
        **({"securityContext": ref(subject.name)} if is_filed else {}),
        "data": "aGVsbG8=",
    }
    authors = [one.author for one in subject.workers] if not is_filed else subject.authors
    return making.add(document, making.one(authors))


def _letter(making: Making, subject: Subject) -> list[str]:
    binary = _binary(making, subject)
    document = {
        "resourceType": "DocumentReference",
        **meta(making),
        "status": making.one(("current", "current", "superseded", "entered-in-error")),
        "category": [_category(making)],
        "subject": ref(subject.name),
        "content": [{"attachment": {"contentType": "text/plain", "url": binary}}],
    }
    return [binary, making.add(document, making.one(subject.authors))]


def _category(making: Making) -> Resource:
    return concept(making.one(("social-care", "clinical-note")), "urn:category")


def _composition(making: Making, subject: Subject) -> str:
    return making.add({**_about(making, subject), **meta(making)}, making.one(subject.authors))


def make_answers(making: Making, subject: Subject) -> None:
    """Make answers of the patient's own: some to go on with, and what is finished about themself.

    Nothing of them is chance: each world has some that may be changed for what they are.
    """
    for form, status in (("prom", "in-progress"), ("about-me|1", "completed")):
        making.add(
            {
                "resourceType": "QuestionnaireResponse",
                "status": status,
                "questionnaire": f"https://forms.example.org/{form}",
                "subject": ref(subject.name),
            },
            Author(subject.name, None),
        )


def _about(making: Making, subject: Subject) -> Resource:
    kind = making.one((("about-me", "urn:type"), ("34133-9", _LOINC)))
    return {
        "resourceType": "Composition",
        "status": making.one(("final", "amended", "preliminary")),
        "type": concept(*kind),
        "category": [_category(making)],
        "subject": ref(subject.name),
        "date": day(-12),
        "author": [ref(making.one(subject.workers).person)],
        "title": "Summary",
    }


def _report(making: Making, subject: Subject, measured: list[str]) -> str:
    document: Resource = {
        "resourceType": "DiagnosticReport",
        **meta(making),
        "status": "final",
        "category": [concept("LAB", "http://terminology.hl7.org/CodeSystem/v2-0074")],
        "code": concept("58410-2", _LOINC),
        "subject": ref(subject.name),
        "issued": instant(-8),
        "conclusion": "Normal",
        "result": [ref(name) for name in making.some(measured, 1, 2)],
    }
    if making.chance(0.5):
        locum = {"resourceType": "Practitioner", "id": "who", "name": [{"family": "Locum"}]}
        document |= {"contained": [locum], "performer": [ref("#who")]}
    if making.chance(0.4):
        content = _binary(making, subject)
        document["presentedForm"] = [{"contentType": "text/plain", "url": content}]
    return making.add(document, making.one(subject.workers).author)


def _document(making: Making, subject: Subject) -> str:
    return making.add(
        {
            "resourceType": "Bundle",
            **meta(making),
            "identifier": {"system": "urn:documents", "value": f"{subject.id}-summary"},
            "type": "document",
            "timestamp": instant(-12),
            "entry": [
                {
                    "fullUrl": f"https://sender.example.org/Composition/{subject.id}",
                    "resource": {**_about(making, subject), "id": subject.id},
                }
            ],
        },
        making.one(subject.workers).author,
    )
