"""The Flask side: every path and method below /fhir reaches the endpoint; health answers."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ehr.rest.routes import fhir_routes, health_routes


def app_of(server: Any, is_ready: Callable[[], bool] = lambda: True) -> Flask:
    app = Flask("tests", static_folder=None)
    app.url_map.merge_slashes = False
    app.register_blueprint(fhir_routes(server.door()))
    app.register_blueprint(health_routes(is_ready))
    return app


@pytest.fixture
def client(server: Any) -> FlaskClient:
    return app_of(server).test_client()


TOKEN = {"Authorization": "Bearer good"}


@pytest.mark.parametrize("path", ["/fhir", "/fhir/", "/fhir/Patient", "/fhir/Patient/1/_history/2"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_paths_reach_the_endpoint(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method, headers=TOKEN)

    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert len(answer.headers.getlist("Content-Length")) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "OPTIONS"])
def test_methods_reach_the_endpoint(client: FlaskClient, method: str) -> None:
    answer = client.open("/fhir/metadata", method=method, headers=TOKEN)

    assert answer.status_code == (204 if method == "OPTIONS" else 405)
    assert "GET" in answer.headers["Allow"]


def test_what_flask_refuses_is_logged_too(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="ehr.rest"):
        answer = client.open("/fhir/Patient/1", method="BREW")

    assert caplog.messages[-1].startswith("BREW /fhir/Patient/1 405 ")
    assert caplog.messages[-1].endswith(f" id={answer.headers['X-Request-Id']}")


@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND"])
def test_a_method_that_flask_refuses_is_answered_in_fhir(client: FlaskClient, method: str) -> None:
    answer = client.open("/fhir/Patient/1", method=method, headers={"Accept": "text/xml"})

    assert answer.status_code == 405
    assert b"<OperationOutcome" in answer.data
    assert answer.headers["X-Request-Id"]
    assert "PATCH" in answer.headers["Allow"]


def test_double_slashes_are_not_redirected(client: FlaskClient) -> None:
    assert client.get("/fhir/Patient//1", headers=TOKEN).status_code == 404


def test_bytes_that_are_no_utf_8_are_refused(client: FlaskClient) -> None:
    answer = client.get(
        "/fhir/Patient/1", headers=TOKEN, environ_overrides={"PATH_INFO": "/fhir/Patient/\xff"}
    )

    assert answer.status_code == 400
    assert b"OperationOutcome" in answer.data


def test_other_paths_are_not_fhir(client: FlaskClient) -> None:
    answer = client.get("/elsewhere")

    assert answer.status_code == 404
    assert b"OperationOutcome" not in answer.data
    assert answer.mimetype == "text/plain"
    assert "/fhir/metadata" in answer.text


def test_health(server: Any) -> None:
    def broken() -> bool:
        raise OSError("gone")

    assert app_of(server).test_client().get("/healthz").status_code == 200
    assert app_of(server).test_client().get("/readyz").status_code == 200
    assert app_of(server, broken).test_client().get("/readyz").status_code == 503
    assert app_of(server, broken).test_client().get("/healthz").status_code == 200


def test_raw_content_is_streamed_and_closed(server: Any, client: FlaskClient) -> None:
    closed = []

    def chunks() -> Any:
        try:
            yield b"a" * 10
            yield b"b" * 10
        finally:
            closed.append(True)

    from ehr.messages import Result

    server.result = Result(
        status=200, chunks=chunks(), content_type="text/plain", content_length=20
    )
    answer = client.get("/fhir/Binary/1", headers={**TOKEN, "Range": "bytes=5-12"})

    assert answer.data == b"aaaaabbb"
    assert closed == [True]
