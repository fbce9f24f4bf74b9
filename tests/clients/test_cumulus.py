"""cumulus-fhir-support, which moves research data out of hospitals: SMART Backend Services."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from cumulus_fhir_support import FhirClient
from cumulus_fhir_support.auth import AuthError
from joserfc.jwk import ECKey, Key, RSAKey

from tests.client import Client
from tests.clients.conftest import Site

KEYS: dict[str, Callable[[], Key]] = {
    "RS384": lambda: RSAKey.generate_key(2048, {"kid": "one", "alg": "RS384"}),
    "ES384": lambda: ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384"}),
}


def _read(site: Site, id: str, keys: dict[str, Any], path: str, *types: str) -> tuple[int, Any]:
    async def ask() -> tuple[int, Any]:
        resources = list(types or ("Patient",))
        async with FhirClient(site.base, resources, smart_client_id=id, smart_jwks=keys) as client:
            answer = await client.request("GET", path)
            return answer.status_code, answer.json()

    return asyncio.run(ask())


def _private(key: Key) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=True), "key_ops": ["sign"]}]}


def _service(register: Callable[..., Any], key: Key) -> str:
    """Register a service with a key and return its id."""
    client, _ = register(
        auth_method="private_key_jwt",
        scope="system/Patient.rs",
        grant_types=("client_credentials",),
        redirect_uris=[],
        jwks={"keys": [key.as_dict(private=False)]},
    )
    return str(client.id)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_service_with_a_key_reads_what_it_may(
    site: Site, fhir: Client, register: Callable[..., Any], algorithm: str
) -> None:
    key = KEYS[algorithm]()
    client = _service(register, key)

    status, resource = _read(site, client, _private(key), "Patient/mary")

    assert (status, resource["id"]) == (200, "mary")


def test_a_service_with_another_key_gets_no_token(
    site: Site, fhir: Client, register: Callable[..., Any]
) -> None:
    key, other = KEYS["ES384"](), KEYS["ES384"]()
    client = _service(register, key)

    with pytest.raises(AuthError, match=r"\[401\] The client assertion is refused"):
        _read(site, client, _private(other), "Patient/mary")
