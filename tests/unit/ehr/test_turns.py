"""Turns: so many at once, in order, given up while waiting, and none holds others up for long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ehr.turns import Turns, waiting

PATIENCE = 30
NEVER = 3600.0


class Crew:
    """Threads that each do one thing in a turn, all joined in the end."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self._threads: list[threading.Thread] = []

    def start(self, turns: Turns, name: str, work: Callable[[], object] = bool) -> threading.Event:
        """Return what is set when the thread has its turn."""
        has_come = threading.Event()

        def run() -> None:
            with turns.one():
                self.came.append(name)
                has_come.set()
                work()

        thread = threading.Thread(target=run)
        thread.start()
        self._threads.append(thread)
        return has_come

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.join()


@contextmanager
def held(crew: Crew, turns: Turns) -> Iterator[None]:
    """Have one turn held by somebody meanwhile."""
    ends = threading.Event()
    assert crew.start(turns, "holder", lambda: ends.wait(PATIENCE)).wait(PATIENCE)
    try:
        yield
    finally:
        ends.set()


def test_no_more_compute_at_once_than_there_are_turns(crew: Crew) -> None:
    turns = Turns(2, NEVER)

    with held(crew, turns):
        with held(crew, turns):
            third = crew.start(turns, "third")
            assert not third.wait(0.1)
        assert third.wait(PATIENCE)


def test_turns_come_in_the_order_of_coming(crew: Crew) -> None:
    turns = Turns(1, NEVER)

    with held(crew, turns):
        for number in range(5):
            before = len(turns._gates)
            crew.start(turns, str(number))
            while len(turns._gates) == before:
                pass

    crew.join()
    assert crew.came == ["holder", "0", "1", "2", "3", "4"]


def test_who_waits_for_others_lets_them_compute(crew: Crew) -> None:
    turns = Turns(1, NEVER)

    with turns.one():
        other = crew.start(turns, "other")
        assert not other.wait(0.1)
        with waiting():
            assert other.wait(PATIENCE)


def test_who_has_waited_computes_in_a_turn_again(crew: Crew) -> None:
    turns = Turns(1, NEVER)

    with turns.one():
        with waiting():
            pass
        other = crew.start(turns, "other")
        assert not other.wait(0.1)


def test_a_long_turn_delays_others_by_a_moment_only(crew: Crew) -> None:
    turns = Turns(1, 0.01)

    with held(crew, turns):
        assert crew.start(turns, "other").wait(PATIENCE)


def test_a_turn_that_counted_no_longer_is_not_handed_on_twice(crew: Crew) -> None:
    turns = Turns(1, 0.01)
    with held(crew, turns):
        assert crew.start(turns, "other").wait(PATIENCE)
    crew.join()

    turns._moment = NEVER
    with held(crew, turns):
        second = crew.start(turns, "second")
        assert not second.wait(0.1)


def test_a_turn_ends_with_an_error_too(crew: Crew) -> None:
    turns = Turns(1, NEVER)

    with pytest.raises(ValueError, match="of the work"), turns.one():
        raise ValueError("of the work")

    assert crew.start(turns, "next").wait(PATIENCE)


def test_a_thread_without_a_turn_may_wait() -> None:
    with waiting():
        pass
