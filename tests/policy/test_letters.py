"""Each interaction needs its letters, and no other letter will do (SMART 2.2, *Scopes*)."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from auth.demands import demands
from tests import given
from tests.client import Client
from tests.policy.conftest import observation

App = Callable[..., Client]
Ask = Callable[[Client], Any]

# What is asked, and the letters that it takes, all of them.
ASKED: dict[str, tuple[str, Ask]] = {
    "read": ("r", lambda app: app.get("Observation/mary-vital")),
    "head": ("r", lambda app: app.request("HEAD", "Observation/mary-vital")),
    "vread": ("r", lambda app: app.get("Observation/mary-vital/_history/1")),
    "history of one": ("r", lambda app: app.get("Observation/mary-vital/_history")),
    "meta": ("r", lambda app: app.get("Observation/mary-vital/$meta")),
    "search": ("s", lambda app: app.get("Observation")),
    "search by form": (
        "s",
        lambda app: app.request(
            "POST", "Observation/_search", "code=1", content_type=FORM
        ),
    ),
    "search of all": ("s", lambda app: app.get("?_type=Observation")),
    "compartment": ("s", lambda app: app.get("Patient/mary/Observation")),
    "history of a type": ("s", lambda app: app.get("Observation/_history")),
    "labels of a type": ("s", lambda app: app.get("Observation/$meta")),
    "create": ("c", lambda app: app.post("Observation", given.observation("Patient/mary"))),
    "update": (
        "u",
        lambda app: app.put("Observation/mary-vital", observation("mary", "mary-vital")),
    ),
    "update as create": (
        "u",
        lambda app: app.put("Observation/fresh", observation("mary", "fresh")),
    ),
    "delete": ("d", lambda app: app.delete("Observation/mary-vital")),
    "merge": (
        "u",
        lambda app: app.patch(
            "Observation/mary-vital", {"status": "amended"}, "application/merge-patch+json"
        ),
    ),
}  # fmt: skip
FORM = "application/x-www-form-urlencoded"
# What no professional may do, whatever the scope.
BEYOND_ROLES = ("delete", "update as create")
LETTERS = ("c", "r", "u", "d", "s", "cruds", "cuds", "crud", "crds", "cruds"[1:], "crus")


@pytest.mark.parametrize("asked", ASKED)
def test_an_interaction_takes_its_letters(people: Client, client_with: App, asked: str) -> None:
    needed, ask = ASKED[asked]
    for letters in sorted({*LETTERS}, key=lambda text: (needed in text, text)):
        scopes = [(f"system/Observation.{letters}", "system"), (f"system/*.{letters}", "system")]
        if asked not in BEYOND_ROLES:
            scopes.append((f"user/Observation.{letters}", "professional"))
        for scope, kind in scopes:
            status = ask(client_with(scope, kind=kind)).status_code
            assert (status == 403) == (not set(needed) <= set(letters)), (scope, status)


@pytest.mark.parametrize(("asked", "status"), [("delete", 403), ("update as create", 404)])
def test_a_scope_is_no_more_than_the_role(
    people: Client, client_with: App, asked: str, status: int
) -> None:
    refused = ASKED[asked][1](client_with("user/Observation.cruds", kind="professional"))

    assert refused.status_code == status
    if status == 403:
        assert "The role gp may not do delete on Observation." in refused.get_data(as_text=True)


@pytest.mark.parametrize("asked", ASKED)
def test_a_scope_for_another_type_is_none(people: Client, client_with: App, asked: str) -> None:
    app = client_with("user/Condition.cruds", kind="professional")

    assert ASKED[asked][1](app).status_code == 403


@pytest.mark.parametrize("asked", ASKED)
def test_v1_scopes_are_what_they_stand_for(people: Client, client_with: App, asked: str) -> None:
    needed, ask = ASKED[asked]
    reads = client_with("system/Observation.read", kind="system")
    writes = client_with("system/Observation.write", kind="system")

    assert (ask(reads).status_code == 403) == (not set(needed) <= set("rs"))
    assert (ask(writes).status_code == 403) == (not set(needed) <= set("cud"))


def test_several_types_are_each_asked_for(people: Client, client_with: App) -> None:
    app = client_with("user/Observation.rs", kind="professional")

    assert app.get("?_type=Observation,Condition").status_code == 403
    types = {one["resource"]["resourceType"] for one in app.read("?_count=100")["entry"]}
    assert types == {"Observation"}


def test_capabilities_need_nothing(people: Client, client_with: App) -> None:
    assert client_with("openid").get("metadata").status_code == 200


@pytest.mark.parametrize("scope", ["", "openid", "patient/Nothing.rs", "patient/Observation.sr",
                                   "patient/Observation.", "observation.rs", "*/*.rs"])  # fmt: skip
def test_what_is_no_scope_permits_nothing(people: Client, client_with: App, scope: str) -> None:
    app = client_with(scope, patient="mary")

    assert app.get("Observation").status_code == 403
    assert app.get("Observation/mary-vital").status_code == 403


@pytest.mark.parametrize("interaction", ["", "purge", "explains", "operation"])
def test_what_is_not_known_is_permitted_by_no_scope(interaction: str) -> None:
    assert demands(interaction, "Patient", "purge") is None


JSON_PATCH = "application/json-patch+json"
TEST = [{"op": "test", "path": "/status", "value": "final"}]
FHIRPATH = given.fhirpath_patch("delete", "Observation.where(status = 'final').note")
XML = (
    '<diff xmlns:f="http://hl7.org/fhir">'
    "<replace sel=\"f:Observation/f:status[@value='final']/@value\">amended</replace></diff>"
)
PROBES = {
    "test": (TEST, JSON_PATCH),
    "test that fails": ([{**TEST[0], "value": "amended"}], JSON_PATCH),
    "FHIRPath": (FHIRPATH, "application/fhir+json"),
    "XML": (XML, "application/xml-patch+xml"),
}
CHANGES = {
    "JSON": ([{"op": "replace", "path": "/status", "value": "amended"}], JSON_PATCH),
    "merge": ({"status": "amended"}, "application/merge-patch+json"),
    "FHIRPath": (given.fhirpath_patch("delete", "Observation.performer[0]"),
                 "application/fhir+json"),
    "XML": ('<diff xmlns:f="http://hl7.org/fhir">'
            '<remove sel="f:Observation/f:performer[1]"/></diff>', "application/xml-patch+xml"),
}  # fmt: skip


@pytest.mark.parametrize("probe", PROBES)
def test_a_patch_that_asks_reads(people: Client, client_with: App, probe: str) -> None:
    body, media_type = PROBES[probe]
    writer = client_with("user/Observation.u", kind="professional")
    reader = client_with("user/Observation.ru", kind="professional")

    refused = writer.patch("Observation/mary-vital", body, media_type)

    assert refused.status_code == 403, refused.data
    assert "insufficient_scope" in refused.headers["WWW-Authenticate"]
    assert reader.patch("Observation/mary-vital", body, media_type).status_code in (200, 400, 422)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_patch_that_asks_nothing_needs_u_alone(
    people: Client, client_with: App, kind: str
) -> None:
    body, media_type = CHANGES[kind]
    writer = client_with("user/Observation.u", kind="professional")

    answer = writer.patch("Observation/mary-vital", body, media_type)

    assert (answer.status_code, answer.data) == (200, b"")


def test_a_patch_that_asks_needs_the_row_to_be_read_not_only_its_type(
    people: Client, client_with: App
) -> None:
    """`r` for some rows of a type tries out no others."""
    category = "http://terminology.hl7.org/CodeSystem/observation-category|"
    app = client_with(
        f"user/Observation.u user/Observation.r?category={category}vital-signs",
        kind="professional",
    )

    assert app.patch("Observation/mary-vital", TEST, JSON_PATCH).status_code == 200
    assert app.patch("Observation/mary-lab", TEST, JSON_PATCH).status_code == 403


def test_a_patch_in_a_bundle_reads(people: Client, client_with: App) -> None:
    writer = client_with("user/Observation.u", kind="professional")
    sent = b64encode(json.dumps(TEST).encode()).decode()
    entry = {"request": {"method": "PATCH", "url": "Observation/mary-vital"},
             "resource": {"resourceType": "Binary", "contentType": JSON_PATCH,
                          "data": sent}}  # fmt: skip

    batch = writer.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})
    whole = writer.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    assert batch.json["entry"][0]["response"]["status"].startswith("403")
    assert whole.status_code == 403
