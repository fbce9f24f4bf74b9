"""SearchParameters of a record, and their `$reindex`, in the words of tests."""

from typing import Any

from tests.client import Client, expect

EYE = "http://example.org/fhir/StructureDefinition/eye-colour"


def search_parameter(code: str, type: str = "token", **members: Any) -> dict[str, Any]:
    """Return an active SearchParameter of Patient with its code as id."""
    return {
        "resourceType": "SearchParameter",
        "id": code,
        "url": f"http://example.org/fhir/SearchParameter/{code}",
        "name": "Added",
        "status": "active",
        "description": "Added to the record",
        "code": code,
        "base": ["Patient"],
        "type": type,
        "expression": f"Patient.extension('{EYE}')",
        **members,
    }


def eyed(id: str, colour: str, **members: Any) -> dict[str, Any]:
    """Return a patient whose eyes have a colour."""
    extension = [{"url": EYE, "valueCode": colour}]
    return {"resourceType": "Patient", "id": id, "extension": extension, **members}


def reindexed(client: Client, query: str = "") -> dict[str, Any]:
    """Run `$reindex` to its end and return what it tells, by the name of its parts."""
    answer = expect(client.post(f"$reindex{query}"), 200)
    assert facts(answer, "run")[0]["state"] == "done", answer
    return answer


def facts(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the parts of this name, each as a mapping."""
    return [
        {
            part["name"]: next(value for key, value in part.items() if key != "name")
            for part in one["part"]
        }
        for one in answer["parameter"]
        if one["name"] == name
    ]


def ids(answer: dict[str, Any], mode: str = "match") -> set[str]:
    """Return the ids of the matches of a search, or of what came along."""
    return {
        one["resource"]["id"] for one in answer.get("entry", ()) if one["search"]["mode"] == mode
    }
