"""Who has a record open for hours only does not make more of it by a write of their own."""

from tests import given
from tests.client import expect
from tests.policy.journeys.people import MARY, Cast, request, task, worker
from tests.policy.naive.vocabulary import CONSENT_KIND, CONSENT_SCOPE, PROXY_ACTION, PROXY_AREA
from tests.policy.staff import emergency, parameters

SAFEGUARDING = "Flag/safeguarding"


def _claims(cast: Cast, name: str) -> None:
    text = ("String", "She came to the clinic today.")
    expect(cast.app(name).post(f"{MARY}/$claim-relationship", parameters(text=text)), 201)


def _alerts(cast: Cast) -> int:
    return cast.system.get("Communication?patient=mary").get_json()["total"]


def test_an_order_to_oneself_is_a_claim(cast: Cast) -> None:
    _claims(cast, "consultant")
    before = _alerts(cast)
    cast.consultant.post("ServiceRequest", request(worker("consultant")))

    opened = [
        p
        for p in ("Condition/chlamydia", SAFEGUARDING)
        if cast.consultant.get(p).status_code == 200
    ]
    assert not opened or _alerts(cast) > before


def test_who_only_claimed_lets_nobody_else_in(cast: Cast) -> None:
    _claims(cast, "consultant")
    cast.consultant.post("ServiceRequest", request(worker("other_gp")))

    assert cast.other_gp.get("Condition/diabetes").status_code == 404
    assert cast.other_gp.get(SAFEGUARDING).status_code == 404


def test_broken_glass_opens_no_locked_flag_by_an_encounter(cast: Cast) -> None:
    expect(cast.urgent_care.post(f"{MARY}/$break-glass", emergency()), 201)
    before = _alerts(cast)
    cast.urgent_care.create(
        given.encounter(
            MARY, status="in-progress", serviceProvider=given.reference("Organization/emergency")
        )
    )
    assert cast.urgent_care.get(SAFEGUARDING).status_code == 404 or _alerts(cast) > before


def test_broken_glass_changes_no_consent(cast: Cast) -> None:
    role = given.concept("DELEGATEE", "http://terminology.hl7.org/CodeSystem/v3-RoleClass")
    grant = {
        "resourceType": "Consent",
        "status": "active",
        "scope": given.concept("patient-privacy", CONSENT_SCOPE),
        "category": [given.concept("proxy", CONSENT_KIND)],
        "patient": given.reference(MARY),
        "dateTime": "2026-01-01",
        "policyRule": {"text": "As Mary chose."},
        "verification": [{"verified": True}],
        "provision": {
            "type": "permit",
            "actor": [{"role": role, "reference": given.reference("RelatedPerson/ben")}],
            "code": [given.concept("conditions", PROXY_AREA)],
            "action": [given.concept("read", PROXY_ACTION)],
        },
    }
    expect(cast.other_gp.post(f"{MARY}/$break-glass", emergency()), 201)

    assert cast.other_gp.post("Consent", grant).status_code == 403
    assert cast.ben.get("Condition/diabetes").status_code == 404


def test_who_is_only_asked_does_not_write_themself_in(cast: Cast) -> None:
    cast.system.create(task(worker("consultant"), MARY))
    assert cast.consultant.get("Condition/diabetes").status_code == 404
    cast.consultant.post("ServiceRequest", request(worker("consultant")))

    assert cast.consultant.get("Condition/diabetes").status_code == 404


def test_a_relative_is_recorded_all_the_same(cast: Cast) -> None:
    """Who somebody's relatives are opens nothing by itself."""
    expect(cast.other_gp.post(f"{MARY}/$break-glass", emergency()), 201)
    relative = {"resourceType": "RelatedPerson", "patient": given.reference(MARY)}

    assert cast.other_gp.post("RelatedPerson", relative).status_code == 201
