"""Tokens that are bound to a key (RFC 9449): what a proof must be, and what it is good for."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import func, select

from auth.jose import dpop
from auth.jose.dpop import InvalidProof, NonceNeeded, OtherKey
from auth.models import used_jti
from auth.surroundings import Surroundings
from tests import token_flow as flow

if TYPE_CHECKING:
    from ehr.record import Record

URL = "http://127.0.0.1:8000/auth/token"
NOW = int(time.time())  # when tests are collected, which may be long before they run
KEY = ECKey.generate_key("P-256")
Make = Callable[[str], str]


def _with(url: str = URL, **changes: Any) -> Make:
    """Return what makes a proof, given a nonce, with other claims."""
    return lambda nonce: flow.proof(KEY, url, **{"nonce": nonce, **changes})


def _headed(**header: Any) -> Make:
    return lambda nonce: flow.proof(KEY, URL, nonce=nonce, header=header)


def _private(nonce: str) -> str:
    return _headed(jwk=KEY.as_dict(private=True))(nonce)


def _unsigned(nonce: str) -> str:
    _, claims, _ = _with()(nonce).split(".")
    jwk = KEY.as_dict(private=False)
    head = json.dumps({"alg": "none", "typ": "dpop+jwt", "jwk": jwk}).encode()
    return f"{urlsafe_b64encode(head).rstrip(b'=').decode()}.{claims}."


FAULTS: dict[str, Make] = {
    "other method": _with(method="GET"),
    "other address": _with("http://127.0.0.1:8000/auth/revoke"),
    "other host": _with("http://127.0.0.1:8001/auth/token"),
    "no address": _with("http://[x/"),
    "old": _with(iat=NOW - 3600),
    "of the future": _with(iat=NOW + 360_000),
    "no iat": _with(iat=None),
    "no jti": _with(jti=None),
    "other typ": _headed(typ="JWT"),
    "t13 alg none": _unsigned,
    "t13 a key that is none": _headed(jwk="x"),
    "t13 a private key": _private,
    "t13 another key": _headed(jwk=ECKey.generate_key("P-256").as_dict(private=False)),
    "t13 another kind of key": _headed(jwk=RSAKey.generate_key(2048).as_dict(private=False)),
    "t13 another curve": _headed(jwk=ECKey.generate_key("P-384").as_dict(private=False)),
    "no JWT": lambda _: "x",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_proof_is_refused(around: Surroundings, fault: str) -> None:
    proof = FAULTS[fault](dpop.nonce(around))

    with pytest.raises(InvalidProof) as told:
        dpop.read_proof(around, proof, method="POST", url=URL)

    assert not isinstance(told.value, NonceNeeded)


@pytest.mark.parametrize("made", [_with(nonce=None), _with(nonce="x"), _with(nonce=7)])
def test_a_proof_without_a_nonce_of_ours_is_asked_for_one(around: Surroundings, made: Make) -> None:
    with pytest.raises(NonceNeeded) as needed:
        dpop.read_proof(around, made("ignored"), method="POST", url=URL)

    again = flow.proof(KEY, URL, nonce=needed.value.nonce)
    assert dpop.read_proof(around, again, method="POST", url=URL).jkt == KEY.thumbprint()


def test_addresses_are_compared_as_addresses(around: Surroundings) -> None:
    for said in ("HTTP://127.0.0.1:8000/auth/token?a=b#c", URL):
        proof = flow.proof(KEY, said, nonce=dpop.nonce(around))
        assert dpop.read_proof(around, proof, method="POST", url=URL)


def test_a_proof_counts_once(around: Surroundings) -> None:
    proof = flow.proof(KEY, URL, nonce=dpop.nonce(around))
    dpop.use_up(around, dpop.read_proof(around, proof, method="POST", url=URL))

    with pytest.raises(InvalidProof, match="used before"):
        dpop.use_up(around, dpop.read_proof(around, proof, method="POST", url=URL))


def test_a_proof_beside_a_token_is_of_that_token(around: Surroundings) -> None:
    def check(shown: str | None, jkt: str = KEY.thumbprint()) -> None:
        proof = flow.proof(KEY, URL, nonce=dpop.nonce(around), token=shown)
        dpop.check_proof(around, proof, method="POST", url=URL, token="secr_a", bound_to=jkt)

    check("secr_a")
    with pytest.raises(OtherKey):
        check("secr_a", "another")
    for shown in (None, "secr_b"):
        with pytest.raises(InvalidProof, match="ath"):
            check(shown)


def test_t19_tokens_of_a_public_client_are_bound_to_the_key(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    told = flow.bound(web, app, KEY, flow.code(around, app, flow.person(around))).get_json()
    assert told["token_type"] == "DPoP"
    thief, nonce = ECKey.generate_key("P-256"), dpop.nonce(around)

    bare = flow.refresh(web, app, told["refresh_token"])
    stolen = flow.refresh(
        web, app, told["refresh_token"], headers={"DPoP": flow.proof(thief, URL, nonce=nonce)}
    )
    own = flow.refresh(
        web, app, told["refresh_token"], headers={"DPoP": flow.proof(KEY, URL, nonce=nonce)}
    )

    assert [bare.status_code, stolen.status_code, own.status_code] == [400, 400, 200]
    assert own.get_json()["token_type"] == "DPoP"


def test_a_bound_token_opens_the_record_with_its_key_alone(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))
    token = flow.bound(web, app, KEY, code).get_json()["access_token"]
    url = "http://127.0.0.1:8000/fhir/Patient"

    def ask(scheme: str, key: ECKey) -> int:
        proof = flow.proof(key, url, method="GET", nonce=dpop.nonce(around), token=token)
        headers = {"Authorization": f"{scheme} {token}", "DPoP": proof}
        return web.get("/fhir/Patient", headers=headers).status_code

    assert ask("DPoP", KEY) == 200
    assert ask("DPoP", ECKey.generate_key("P-256")) == 401
    assert ask("Bearer", KEY) == 401


def test_a_code_that_was_asked_for_with_a_key_is_for_that_key(
    around: Surroundings, web: FlaskClient
) -> None:
    app, user = flow.app(around), flow.person(around)
    jkt = KEY.thumbprint()

    def ask(key: ECKey | None) -> int:
        code = flow.code(around, app, user, dpop_jkt=jkt)
        proof = key and flow.proof(key, URL, nonce=dpop.nonce(around))
        return flow.exchange(web, app, code, headers={"DPoP": proof} if proof else {}).status_code

    assert [ask(KEY), ask(ECKey.generate_key("P-256")), ask(None)] == [200, 400, 400]


def test_a_client_of_bound_tokens_gets_no_others(around: Surroundings, web: FlaskClient) -> None:
    app = flow.app(around, dpop=True)
    code = flow.code(around, app, flow.person(around))

    answer = flow.exchange(web, app, code)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_dpop_proof")
    assert flow.bound(web, app, KEY, code).status_code == 200


def test_a_service_may_bind_its_token(around: Surroundings, web: FlaskClient) -> None:
    headers = {"DPoP": flow.proof(KEY, URL, nonce=dpop.nonce(around))}

    told = flow.token(
        web, flow.service(around), "client_credentials", headers=headers, scope="system/*.rs"
    ).get_json()

    assert told["token_type"] == "DPoP"


STRANGE = {
    "token": {"grant_type": "refresh_token", "refresh_token": "made-up"},
    "token ": {
        "grant_type": "authorization_code",
        "code": "made-up",
        "redirect_uri": flow.REDIRECT,
        "code_verifier": flow.VERIFIER,
    },
    "par": {"redirect_uri": "https://elsewhere.example.org/back"},
    "introspect": {"token": "made-up"},
    "userinfo": {},
}


@pytest.mark.parametrize("at", STRANGE)
def test_t19_proofs_of_strangers_leave_nothing_behind(
    around: Surroundings, web: FlaskClient, at: str
) -> None:
    """Whoever names a public client could fill the disk with proofs that are in order."""
    app = flow.app(around)
    url = f"{URL.removesuffix('/token')}/{at.strip()}"
    token = "secr_" + "x" * 43
    proof = flow.proof(KEY, url, nonce=dpop.nonce(around), token=token)
    headers = {"DPoP": proof}
    if at in ("introspect", "userinfo"):
        headers["Authorization"] = f"DPoP {token}"

    answer = web.post(url, data=STRANGE[at] | {"client_id": app.id}, headers=headers)

    assert 400 <= answer.status_code < 402, answer.data
    assert _count(around) == 0


def test_t19_proofs_by_another_key_leave_nothing_behind(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    token = flow.bound(web, app, KEY, flow.code(around, app, flow.person(around))).get_json()[
        "access_token"
    ]
    known, thief = _count(around), ECKey.generate_key("P-256")

    for path in ("auth/userinfo", "fhir/Patient"):
        url = f"http://127.0.0.1:8000/{path}"
        proof = flow.proof(thief, url, method="GET", nonce=dpop.nonce(around), token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        assert web.get(f"/{path}", headers=headers).status_code == 401
    assert _count(around) == known


def _count(around: Surroundings) -> int:
    with around.store.read() as connection:
        return connection.execute(select(func.count()).select_from(used_jti)).scalar_one()


def test_two_proofs_are_none(around: Surroundings, web: FlaskClient) -> None:
    app = flow.app(around)
    proofs = [("DPoP", flow.proof(KEY, URL, nonce=dpop.nonce(around))) for _ in range(2)]
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.id}

    answer = web.post("/auth/token", data=form, headers=proofs)

    assert answer.get_json()["error"] == "invalid_dpop_proof"


def test_a_nonce_is_good_for_minutes(around: Surroundings, record: "Record") -> None:
    nonce = dpop.nonce(around)
    app = flow.app(around)

    for milliseconds, error in ((140_000, "invalid_grant"), (310_000, "use_dpop_nonce")):
        proof = flow.proof(KEY, URL, nonce=nonce, iat=int(time.time()) + milliseconds // 1000)
        answer = flow.refresh(flow.later(record, milliseconds), app, "x", headers={"DPoP": proof})
        assert answer.get_json()["error"] == error
