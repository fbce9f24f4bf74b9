"""vread (R4 §3.1.0.2): each version stays as it was, whatever comes after it."""

import pytest

from tests import given
from tests.client import Client, expect


def _three_versions(client: Client) -> str:
    path = "Patient/mary"
    for family in ("Murray", "Reid"):
        client.update(given.patient(family=family, id="mary"))
    assert client.delete(path).status_code == 204
    return path


def test_every_version_is_read_as_it_was(client: Client) -> None:
    path = _three_versions(client)

    first = expect(client.get(f"{path}/_history/1"), 200)
    second = client.get(f"{path}/_history/2")

    assert first["name"][0]["family"] == "Murray"
    assert first["meta"]["versionId"] == "1"
    assert expect(second, 200)["name"][0]["family"] == "Reid"
    assert second.headers["ETag"] == 'W/"2"'


def test_the_version_that_deleted_is_gone(client: Client) -> None:
    path = _three_versions(client)

    assert client.get(f"{path}/_history/3").status_code == 410


@pytest.mark.parametrize("version", ["4", "0", "-1", "1.0", "x", "9" * 9, "9" * 40, "1%20"])
def test_other_versions_are_404(client: Client, version: str) -> None:
    path = _three_versions(client)

    assert client.get(f"{path}/_history/{version}").status_code == 404


def test_another_type_or_id_is_404(client: Client) -> None:
    _three_versions(client)

    assert client.get("Practitioner/mary/_history/1").status_code == 404
    assert client.get("Patient/anna/_history/1").status_code == 404


def test_a_version_that_the_caller_has_is_304(client: Client) -> None:
    path = _three_versions(client)

    assert client.get(f"{path}/_history/1", If_None_Match='W/"1"').status_code == 304
