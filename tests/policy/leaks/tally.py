"""Comparisons counted: what was permitted, what was refused, what did not agree."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

_SHOWN = 12  # differences that a report tells of, of each path
_NAMED = 5


@dataclass(slots=True)
class Tally:
    """One comparison is one caller and one question: a row by itself, or the answer to a search.

    It counts as permitted where something is to be seen, as refused where the caller is to be kept
    something from that the same question shows to whom nothing is hidden from; it may be both.
    """

    seed: int
    compared: Counter[str] = field(default_factory=Counter)
    permitted: int = 0
    refused: int = 0
    told: Counter[str] = field(default_factory=Counter)
    manners: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of comparisons."""
        return self.compared.total()

    def row(self, path: str, who: str, what: str, *, is_seen: bool, is_shown: bool) -> None:
        """Count one row: is it seen, as it should be (`is_shown`)?"""
        self._count(path, permitted=is_shown, refused=not is_shown)
        if is_seen != is_shown:
            told = "is not answered" if is_shown else "LEAKS"
            self.differs(path, f"{who}: {what} {told}")

    def answer(
        self,
        path: str,
        who: str,
        what: str,
        *,
        found: Set[object],
        expected: Set[object],
        whole: Set[object] | None,
    ) -> None:
        """Count one answer; `whole` is what nobody hides anything of, None where not known."""
        hidden = whole is None or not whole <= expected
        self._count(path, permitted=bool(expected), refused=hidden)
        if found != expected:
            surplus, missing = found - expected, expected - found
            self.differs(path, f"{who}: {what}{_some('LEAKS', surplus)}{_some('lacks', missing)}")

    def same(self, path: str, who: str, what: str, *, is_same: bool, told: str = "") -> None:
        """Count a row that is hidden: the answer must be that for a row that is not there."""
        self._count(path, permitted=False, refused=True)
        if not is_same:
            self.differs(path, f"{who}: {what} TELLS that there is something {told}")

    def may_differ(self, path: str, *, is_same: bool) -> None:
        """Count a row that is seen, which the caller may not be allowed to change all the same.

        Where nothing that is seen is ever told from what is not there, the question asks nothing.
        """
        self._count(path, permitted=True, refused=False)
        self.told[path] += not is_same

    def write(
        self, path: str, who: str, what: str, *, may: bool, came: bool, otherwise: bool
    ) -> None:
        """Count a write that is tried: may it be made, and came it as far as its commit?

        One that may be made can be refused `otherwise`, by what is no matter of rights.
        """
        self._count(path, permitted=may, refused=not may)
        self.came[path] += came and may
        if came and not may:
            self.differs(path, f"{who}: {what} LEAKS")
        elif may and not came and not otherwise:
            self.differs(path, f"{who}: {what} is refused")

    def asked_by(self, manners: Iterable[str]) -> None:
        """Count in which manners an answer was asked for: chained, sorted, by POST …"""
        self.manners.update(manners)

    def withhold(self, path: str) -> None:
        """Count a question that was refused as a whole, because of a type that it leads through."""
        self.withheld[path] += 1

    def leave_out(self, path: str) -> None:
        """Count a question that the record refuses to everybody as too costly or unsupported."""
        self.left_out[path] += 1

    def add(self, other: "Tally") -> None:
        """Take in what another run counted."""
        self.compared += other.compared
        self.permitted += other.permitted
        self.refused += other.refused
        self.told += other.told
        self.manners += other.manners
        self.withheld += other.withheld
        self.left_out += other.left_out
        self.came += other.came
        for path, told in other.wrong.items():
            for one in told:
                self.differs(path, f"seed {other.seed}: {one}")

    def differs(self, path: str, told: str) -> None:
        """Note a difference."""
        self.wrong.setdefault(path, []).append(told)

    @property
    def differences(self) -> int:
        """The number of comparisons that did not agree."""
        return sum(map(len, self.wrong.values()))

    def fails(
        self, *, least: int, share: float = 0.2, each: int = 0, ways: Iterable[str] = ()
    ) -> str:
        """Return what keeps the run from passing, empty where nothing does.

        `least` of all comparisons, and of `each` of these ways of asking.
        """
        found = [self.report()] if self.wrong else []
        for way in ways:
            count = self.compared[way] + self.manners[way]
            if count < each:
                found.append(f"only {count} comparisons of {each} by {way}")
        for path, count in self.came.items():
            if not count:
                found.append(f"nothing that is permitted came through by {path}")
        if self.total < least:
            found.append(f"only {self.total} comparisons of {least}")
        for name, count in (("permitted", self.permitted), ("refused", self.refused)):
            if count < share * self.total:
                found.append(f"only {count} of {self.total} comparisons are {name}")
        return "\n".join(found)

    @property
    def figures(self) -> str:
        """How many comparisons, and how they came out."""
        part = max(self.total, 1)
        return (
            f"{self.total} comparisons, permitted {self.permitted / part:.0%}, "
            f"refused {self.refused / part:.0%}, {self.differences} differences"
        )

    def report(self) -> str:
        """Return the counts, and of each path some differences."""
        lines = [str(self)]
        for path, told in sorted(self.wrong.items()):
            lines.append(f"== {path}: {len(told)} of {self.compared[path]}")
            lines += told[:_SHOWN]
        return "\n".join(lines)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.figures}; "
            f"withheld {self.withheld.total()}, left out {self.left_out.total()}; "
            f"{_counts(self.compared)}; came as far as the commit {_counts(self.came)}; "
            f"among them {_counts(self.manners)}"
        )

    def _count(self, path: str, *, permitted: bool, refused: bool) -> None:
        self.compared[path] += 1
        self.permitted += permitted
        self.refused += refused


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counter.most_common())


def _some(word: str, names: Set[object]) -> str:
    if not names:
        return ""
    told = sorted("/".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in names)
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f" {word} {', '.join(told[:_NAMED])}{more};"
