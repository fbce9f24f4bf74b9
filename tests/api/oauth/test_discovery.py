"""What clients read before anything else: SMART configuration, OpenID and RFC 8414 metadata."""

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.apps import clients
from auth.endpoints.discovery import open_discovery
from auth.server import blueprint
from ehr.app import create_app, surroundings_of

if TYPE_CHECKING:
    from ehr.record import Record

SMART = "/fhir/.well-known/smart-configuration"
OPENID = "/fhir/.well-known/openid-configuration"
RFC_8414 = "/.well-known/oauth-authorization-server/fhir"
EVERY = [SMART, OPENID, RFC_8414]
APP = "https://app.example.org"


def _told(web: FlaskClient, path: str) -> dict[str, Any]:
    told: dict[str, Any] = web.get(path).get_json()
    return told


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("accept", ["*/*", "application/fhir+json", "text/html", "image/png"])
def test_well_known_is_public_json_for_any_origin(web: FlaskClient, path: str, accept: str) -> None:
    answer = web.get(path, headers={"Accept": accept, "Origin": APP})

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", APP)
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", EVERY)
def test_scripts_may_ask_before_they_read(web: FlaskClient, path: str) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "GET"}

    answer = web.options(path, headers=asked)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", EVERY)
def test_metadata_is_of_one_issuer_and_safe(web: FlaskClient, path: str) -> None:
    told = _told(web, path)

    assert told["issuer"] == "http://127.0.0.1:8000/fhir"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert "authorization_code" in told["grant_types_supported"]
    assert not {"implicit", "password"} & set(told["grant_types_supported"])
    methods = set(told["token_endpoint_auth_methods_supported"])
    assert methods - {"none"} == {"client_secret_basic", "client_secret_post", "private_key_jwt"}
    assert {"RS384", "ES384"} <= set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert "HS256" not in told["token_endpoint_auth_signing_alg_values_supported"]


@pytest.mark.parametrize("path", EVERY)
def test_t33_every_address_that_is_told_answers(record: "Record", path: str) -> None:
    app = create_app(record)
    routes = app.url_map.bind("127.0.0.1:8000")
    told = _told(app.test_client(), path)
    addresses = {
        name: value
        for name, value in told.items()
        if name.endswith(("_endpoint", "jwks_uri", "_bundle"))
    }

    assert addresses
    for address in addresses.values():
        assert address.startswith("http://127.0.0.1:8000/auth/")
        assert routes.allowed_methods(address.removeprefix("http://127.0.0.1:8000"))


def test_t33_what_is_off_is_not_told(record: "Record") -> None:
    surroundings = surroundings_of(record)
    app = Flask(__name__)
    routes = blueprint(surroundings).__class__("bare", __name__)
    open_discovery(routes, surroundings, grants=["client_credentials"], algorithms=["RS384"])
    app.register_blueprint(routes)

    told = _told(app.test_client(), SMART)

    assert not [name for name in told if name.endswith("_endpoint")]
    assert told["capabilities"] == []
    assert told["scopes_supported"] == ["system/*.cruds", "system/*.rs"]
    assert told["grant_types_supported"] == ["client_credentials"]


def test_t37_no_address_is_taken_from_a_header(web: FlaskClient) -> None:
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    for path in EVERY:
        assert b"evil" not in web.get(path, headers=hostile).data


def test_openid_has_what_it_requires(web: FlaskClient) -> None:
    told = _told(web, OPENID)

    assert told["subject_types_supported"] == ["public"]
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    assert told["jwks_uri"].endswith("/auth/jwks")
    assert told["request_uri_parameter_supported"] is False


def test_the_capability_statement_names_the_same_addresses(web: FlaskClient) -> None:
    (rest,) = web.get("/fhir/metadata", headers={"Host": "evil.example"}).get_json()["rest"]
    told = _told(web, SMART)

    (extension,) = rest["security"]["extension"]
    named = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert named["authorize"] == "http://127.0.0.1:8000/auth/authorize"
    assert named["token"] == "http://127.0.0.1:8000/auth/token"
    members = {
        "authorize": "authorization_endpoint",
        "token": "token_endpoint",
        "register": "registration_endpoint",
        "manage": "management_endpoint",
        "introspect": "introspection_endpoint",
        "revoke": "revocation_endpoint",
    }
    assert named == {name: told[member] for name, member in members.items()}
    assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert rest["security"]["cors"] is True


def test_keys_are_there_before_anything_was_signed(web: FlaskClient) -> None:
    answer = web.get("/auth/jwks", headers={"Origin": APP})

    (key,) = answer.get_json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert key["kid"]
    assert "d" not in key
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def app_of_a_site(record: "Record") -> str:
    """Register a client of the origin APP and give its id."""
    made, _ = record.database.write(
        lambda connection: clients.create(
            connection,
            name="App",
            auth_method="none",
            scope="openid patient/*.rs",
            now=1,
            redirect_uris=[f"{APP}/back"],
            origins=[APP],
        )
    )
    return made.id


@pytest.mark.parametrize("name", ["token", "userinfo", "revoke", "introspect", "par"])
def test_scripts_of_a_registered_origin_may_call(
    web: FlaskClient, app_of_a_site: str, name: str
) -> None:
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, dpop",
    }

    answer = web.options(f"/auth/{name}", headers=asked)

    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "DPoP" in answer.headers["Access-Control-Allow-Headers"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.org.evil"])
def test_t32_scripts_of_other_origins_may_not(
    web: FlaskClient, app_of_a_site: str, origin: str
) -> None:
    for name in ("token", "userinfo", "introspect"):
        answer = web.options(f"/auth/{name}", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_t32_the_origin_of_one_client_is_not_that_of_another(
    web: FlaskClient, app_of_a_site: str
) -> None:
    sent = {"grant_type": "authorization_code", "client_id": "another"}

    other = web.post("/auth/token", data=sent, headers={"Origin": APP})
    own = web.post(
        "/auth/token", data={**sent, "client_id": app_of_a_site}, headers={"Origin": APP}
    )

    assert "Access-Control-Allow-Origin" not in other.headers
    assert own.headers["Access-Control-Allow-Origin"] == APP


def test_t32_pages_are_open_to_no_script(web: FlaskClient, app_of_a_site: str) -> None:
    for path in ("/auth/sign-in", "/auth/authorize", "/auth/apps"):
        answer = web.get(path, headers={"Origin": APP})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_client_out_of_use_has_no_origin(
    web: FlaskClient, record: "Record", app_of_a_site: str
) -> None:
    record.database.write(lambda connection: clients.disable(connection, app_of_a_site, now=2))

    answer = web.options("/auth/userinfo", headers={"Origin": APP})

    assert "Access-Control-Allow-Origin" not in answer.headers
