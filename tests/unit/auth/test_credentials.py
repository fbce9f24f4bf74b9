"""Passwords: which are taken, and how they are kept."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from auth.sign_in import credentials

GOOD = "plum harbour seven lanterns"


@pytest.mark.parametrize("text", [GOOD, "кораблик в тумане", "a1!b2@c3#d4$", "x" * 20 + GOOD])
def test_a_long_password_of_any_characters_is_taken(text: str) -> None:
    assert credentials.fault(text, login="mary", name="Mary") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("short", "12 characters"),
        ("elevenchars", "12 characters"),
        ("x" * 257, "at most 256"),
        ("mary@example.org", "not your name"),
        ("MARY@Example.org", "not your name"),
        ("Mary Ann Murray", "not your name"),
        ("password1234", "Many people"),
        ("Password1234!", "Many people"),
        ("p@ssw0rd12345", "Many people"),
        ("passwordpassword", "Many people"),
        ("aaaaaaaaaaaa", "Many people"),
        ("abcabcabcabcabc", "Many people"),
        ("123456789012", "Many people"),
        ("qwertyuiopas", "Many people"),
        ("1qaz2wsx3edc", "Many people"),
    ],
)
def test_what_is_guessed_first_is_refused(text: str, why: str) -> None:
    found = credentials.fault(text, login="mary@example.org", name="Mary Ann Murray")

    assert found is not None
    assert why in found
    assert text not in found


def test_a_password_is_kept_by_argon2id_as_rfc_9106_recommends() -> None:
    found = extract_parameters(credentials.hash_of(GOOD))

    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == (
        "ID",
        65536,
        3,
        4,
    )
    assert found.salt_len == 16
    assert found == RFC_9106_LOW_MEMORY


def test_only_the_right_password_fits() -> None:
    kept = credentials.hash_of(GOOD)

    assert credentials.is_right(kept, GOOD)
    assert not credentials.is_right(kept, f"{GOOD} ")
    assert not credentials.is_right(None, GOOD)
    assert not credentials.is_right("no hash", GOOD)


def test_a_password_fits_however_its_letters_are_composed() -> None:
    assert credentials.is_right(credentials.hash_of("caf\u00e9 lanterns"), "cafe\u0301 lanterns")


def test_hashes_by_older_parameters_are_outdated() -> None:
    assert credentials.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD))
    assert not credentials.is_outdated(credentials.hash_of(GOOD))


def test_t24_no_user_takes_as_long_as_a_wrong_password() -> None:
    kept = credentials.hash_of(GOOD)
    credentials.is_right(None, "x")  # makes what nobody's password is compared with

    wrong = min(_time(kept) for _ in range(3))
    nobody = min(_time(None) for _ in range(3))

    assert 0.4 < nobody / wrong < 2.5


def test_few_hashes_are_made_at_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """T26: each needs 64 MiB, and anybody may send a password."""
    counting = _Counting()
    monkeypatch.setattr(credentials, "_HASHER", counting)

    with ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(_answer, range(48)))

    assert counting.most == 2
    assert set(answers) == {"made", "busy"}
    assert answers.count("made") >= 12
    assert _answer(0) == "made"  # every turn was given back


def _answer(_: int) -> str:
    try:
        return credentials.hash_of(GOOD)
    except credentials.Busy:
        return "busy"


class _Counting:
    """Takes a moment, as hashing does, and counts how many do so at once."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    def hash(self, _: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.1)
        with self._lock:
            self._now -= 1
        return "made"


def _time(kept: str | None) -> float:
    began = time.perf_counter()
    credentials.is_right(kept, "wrong")
    return time.perf_counter() - began
