"""Whose account an identity is by its NHS number: never on less than the number and birth date."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from auth.joining import identities, invitations
from auth.joining.upstream import SignInFailed, Verified
from auth.joining.upstream_providers import Provider
from auth.sign_in import users
from auth.surroundings import Surroundings
from tests.client import Client
from tests.signing_in import make_user

NUMBER = "9434765919"
NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
PROVIDER = Provider(
    "nhs", "NHS login", "https://id.example", "c", None, "RS256", levels=("P9",), full=("P9",)
)


@pytest.fixture
def mary(client: Client) -> None:
    number = {"system": NUMBER_SYSTEM, "value": NUMBER}
    client.update(
        {"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01", "identifier": [number]}
    )


@pytest.mark.usefixtures("mary")
def test_t24_a_number_without_a_birth_date_links_nobody(around: Surroundings) -> None:
    with pytest.raises(SignInFailed, match="can't tell which record"):
        identities.user_of(around, _verified("one", birthdate=None))


@pytest.mark.usefixtures("mary")
def test_t24_a_second_account_of_a_provider_is_not_linked(around: Surroundings) -> None:
    user = identities.user_of(around, _verified("one"))

    with pytest.raises(SignInFailed, match="another account"):
        identities.user_of(around, _verified("two"))

    with around.store.read() as connection:
        assert [one.subject for one in identities.of_user(connection, user.id)] == ["one"]


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("subject", ["one", "two"])
def test_t24_what_its_owner_removed_is_never_linked_silently(
    around: Surroundings, subject: str
) -> None:
    """Nor is another account of the provider, which tells the same number."""
    user = identities.user_of(around, _verified("one"))
    _unlink(around, user.id)

    with pytest.raises(SignInFailed, match="was removed"):
        identities.user_of(around, _verified(subject))

    assert _subjects(around, user.id) == []


@pytest.mark.usefixtures("mary")
def test_what_was_removed_is_linked_again_by_a_wish_of_its_owner(around: Surroundings) -> None:
    user = identities.user_of(around, _verified("one"))
    _unlink(around, user.id)

    again = identities.user_of(around, replace(_verified("one"), links=user.id))
    then = identities.user_of(around, _verified("one"))

    assert again.id == then.id == user.id
    assert _subjects(around, user.id) == ["one"]


@pytest.mark.usefixtures("mary")
def test_what_somebody_removed_may_be_linked_to_another_account(around: Surroundings) -> None:
    """As where it was linked to the wrong person."""
    user = identities.user_of(around, _verified("one"))
    other = make_user(around, "patient", login="john", fhir_user="Patient/john").user
    _unlink(around, user.id)

    found = identities.user_of(around, replace(_verified("one"), links=other.id))

    assert found.id == other.id
    assert (_subjects(around, user.id), _subjects(around, other.id)) == ([], ["one"])


@pytest.mark.usefixtures("mary")
def test_t24_a_user_has_one_account_of_a_provider(around: Surroundings) -> None:
    """Two that are linked at once, by the owner's own wish, are not both linked either."""
    user = identities.user_of(around, _verified("one"))
    with pytest.raises(SignInFailed, match="another account of the same provider"):
        identities.user_of(around, replace(_verified("two"), links=user.id))
    _unlink(around, user.id)

    def link(subject: str) -> bool:
        try:
            identities.user_of(around, replace(_verified(subject), links=user.id))
        except SignInFailed:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(link, ["two", "three", "four", "five"]))

    assert done.count(True) == 1
    assert len(_subjects(around, user.id)) == 1


@pytest.mark.usefixtures("mary")
def test_t24_nothing_is_linked_to_an_account_that_is_closed(around: Surroundings) -> None:
    user, now = identities.user_of(around, _verified("one")), around.clock()
    around.store.write(lambda connection: identities.unlink(connection, user.id, now=now))
    around.store.write(
        lambda connection: users.set_disabled(connection, user.id, disabled=True, now=now)
    )

    with pytest.raises(SignInFailed, match="closed"):
        identities.user_of(around, _verified("one"))

    with around.store.read() as connection:
        assert identities.of_user(connection, user.id) == []


@pytest.mark.usefixtures("mary")
def test_t24_a_number_alone_does_not_tell_that_somebody_died(
    around: Surroundings, client: Client
) -> None:
    _dies(client)

    with pytest.raises(SignInFailed, match="can't tell which record"):
        identities.user_of(around, _verified("one", birthdate="1951-03-01"))
    with pytest.raises(SignInFailed, match="has died"):
        identities.user_of(around, _verified("one"))


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("why", ["died", "wrong kind"])
def test_t24_who_may_not_sign_in_uses_no_invitation_up(
    around: Surroundings, client: Client, why: str
) -> None:
    code_hash = _invited(around)
    verified = replace(_verified("one"), invitation=code_hash)
    if why == "died":
        _dies(client)
    else:
        verified = replace(verified, provider=replace(PROVIDER, kinds=("professional",)))

    with pytest.raises(SignInFailed, match=r"has died|of your kind"):
        identities.user_of(around, verified)

    with around.store.read() as connection:
        assert users.of_person(connection, "Patient/mary", around.clock()) == []
        assert invitations.find(connection, code_hash, around.clock()) is not None


@pytest.mark.parametrize("fault", ["died", "closed"])
def test_t24_nothing_is_linked_by_who_may_not_sign_in(
    around: Surroundings, client: Client, fault: str
) -> None:
    user = make_user(around, "patient", fhir_user="Patient/mary").user
    if fault == "died":
        _dies(client)
    else:
        around.store.write(lambda c: users.set_disabled(c, user.id, disabled=True, now=1))

    with pytest.raises(SignInFailed, match=fault):
        identities.user_of(around, replace(_verified("one"), links=user.id))

    assert _subjects(around, user.id) == []


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("subjects", [("Zoe", "zoe"), ("x" * 255, "y" * 255)])
def test_accounts_of_one_provider_are_told_apart_by_case_and_length(
    around: Surroundings, client: Client, subjects: tuple[str, str]
) -> None:
    """OpenID Connect Core §2: `sub` is case-sensitive, and has up to 255 characters."""
    client.update({"resourceType": "Patient", "id": "john", "birthDate": "1950-03-01"})
    found = [
        identities.user_of(around, replace(_verified(subject), invitation=_invited(around, who)))
        for subject, who in zip(subjects, ("mary", "john"), strict=True)
    ]

    assert [one.fhir_user for one in found] == ["Patient/mary", "Patient/john"]


def _dies(client: Client) -> None:
    client.update(
        {
            "resourceType": "Patient",
            "id": "mary",
            "birthDate": "1950-03-01",
            "identifier": [{"system": NUMBER_SYSTEM, "value": NUMBER}],
            "deceasedBoolean": True,
        }
    )


def _invited(around: Surroundings, who: str = "mary") -> str:
    """Invite a patient; return what names the invitation."""

    def work(connection: Connection) -> str:
        invitations.create(
            connection,
            around,
            kind="patient",
            fhir_user=f"Patient/{who}",
            name=who,
            invited_by="tests",
            birth_date="1950-03-01",
            patients={who: users.SELF},
        )
        return invitations.waiting(connection, around.clock())[-1].code_hash

    return around.store.write(work)


def _unlink(around: Surroundings, user_id: str) -> None:
    now = around.clock()
    around.store.write(lambda connection: identities.unlink(connection, user_id, now=now))


def _subjects(around: Surroundings, user_id: str) -> list[str]:
    with around.store.read() as connection:
        return [one.subject for one in identities.of_user(connection, user_id)]


def _verified(subject: str, birthdate: str | None = "1950-03-01") -> Verified:
    claims: dict[str, Any] = {"sub": subject, "nhs_number": NUMBER, "birthdate": birthdate}
    return Verified(PROVIDER, subject, "P9", claims, "/auth/apps")
