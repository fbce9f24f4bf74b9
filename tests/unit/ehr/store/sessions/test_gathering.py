"""Writes that share a transaction: who goes with whom, and who by itself."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from ehr.store.sessions.gathering import Gathering


@dataclass(frozen=True)
class Part:
    names: tuple[str, ...]


class Crowd:
    """Runs parts while the first one is held, so that the others wait at the same moment."""

    def __init__(self, gathering: Gathering) -> None:
        self.gathering = gathering
        self.groups: list[list[str]] = []
        self.alone: list[str] = []
        self._is_led, self._go_on = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(16)

    def __enter__(self) -> "Crowd":
        self._first = self._pool.submit(self.gathering.run, Part(("first",)), self._hold, str)
        assert self._is_led.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._pool.shutdown()

    def _hold(self, _parts: Sequence[Part]) -> list[str]:
        self._is_led.set()
        assert self._go_on.wait(5)
        return [""]

    def release(self) -> None:
        self._go_on.set()

    def send(
        self, *names: str, answer: Callable[[Sequence[Part]], list[Any]] | None = None
    ) -> Future[Any]:
        """Have a part written that writes these names, and wait until it waits."""
        part, before = Part(names), self.gathering.waiting

        def together(parts: Sequence[Part]) -> list[Any]:
            self.groups.append(["+".join(one.names) for one in parts])
            return answer(parts) if answer else [f"{'+'.join(one.names)} shared" for one in parts]

        def by_itself() -> str:
            self.alone.append("+".join(names))
            return f"{'+'.join(names)} alone"

        done = self._pool.submit(self.gathering.run, part, together, by_itself)
        limit = time.monotonic() + 5
        while self.gathering.waiting == before and not done.done() and time.monotonic() < limit:
            time.sleep(0.001)
        return done


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with Crowd(Gathering()) as made:
        yield made


def test_a_lone_write_leads_and_waits_for_nobody() -> None:
    groups: list[int] = []

    def together(parts: Sequence[Part]) -> list[str]:
        groups.append(len(parts))
        return ["done"]

    assert Gathering().run(Part(("a",)), together, str) == "done"
    assert groups == [1]


def test_those_that_wait_go_together(crowd: Crowd) -> None:
    done = [crowd.send(name) for name in "abc"]

    crowd.release()

    assert [one.result(5) for one in done] == ["a shared", "b shared", "c shared"]
    assert crowd.groups == [["a", "b", "c"]]


def test_two_that_write_the_same_go_one_after_the_other(crowd: Crowd) -> None:
    done = [crowd.send(*names) for names in (("a",), ("a", "b"), ("b",), ("c",))]

    crowd.release()

    assert all(one.result(5).endswith("shared") for one in done)
    assert crowd.groups == [["a", "b", "c"], ["a+b"]]


def test_an_error_goes_to_its_own_caller(crowd: Crowd) -> None:
    def answer(parts: Sequence[Part]) -> list[Any]:
        return [KeyError("b") if one.names == ("b",) else "fine" for one in parts]

    done = [crowd.send(name, answer=answer) for name in "abc"]

    crowd.release()

    assert done[0].result(5) == done[2].result(5) == "fine"
    with pytest.raises(KeyError):
        done[1].result(5)
    assert crowd.alone == []


def test_when_the_whole_fails_each_goes_by_itself(crowd: Crowd) -> None:
    def answer(_parts: Sequence[Part]) -> list[Any]:
        raise OSError

    done = [crowd.send(name, answer=answer) for name in "abc"]

    crowd.release()

    assert [one.result(5) for one in done] == ["a alone", "b alone", "c alone"]
    assert len(crowd.groups) == 1


def test_who_is_not_taken_in_time_goes_by_itself() -> None:
    with Crowd(Gathering(patience=0.01)) as crowd:
        done = crowd.send("a")

        assert done.result(5) == "a alone"
        assert crowd.groups == []


def test_the_next_leader_comes_after_a_failure(crowd: Crowd) -> None:
    def answer(_parts: Sequence[Part]) -> list[Any]:
        raise OSError

    failed, waits = crowd.send("a", answer=answer), crowd.send("a")

    crowd.release()

    assert failed.result(5) == "a alone"
    assert waits.result(5) == "a shared"
