"""Searches of every kind: the answer is the oracle's, who knows only what the caller sees.

Questions are made from the registry of search parameters and from values of the whole record, so
that they ask for what is hidden as often as for what is not: any parameter and modifier, chains,
`_has`, `_filter`, `_list`, compartments, sorting, includes of every kind.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from tests.policy.leaks.disclosing import Resource, matches
from tests.policy.leaks.paths.pages import MANNERS, ask, pages
from tests.policy.leaks.running import WITH_PARTS, Asker, Run
from tests.policy.naive.reading import mentioned
from tests.spec.oracle import definitions
from tests.spec.oracle.made_queries import query
from tests.spec.oracle.search import Answer

_PAGE, _MOST = 200, 80
_TYPES = re.compile(r"\b[A-Z][A-Za-z]+\b")
# How a search is asked, by what its text has.
_ASKED = {
    "include": re.compile(r"_include"),
    "revinclude": re.compile(r"_revinclude"),
    "iterate": re.compile(r":iterate="),
    "wildcard": re.compile(r"include(:iterate)?=([A-Z]\w+:)?\*"),
    "chain": re.compile(r"[?&][a-z][\w-]*(:[A-Z]\w+)?\."),
    "_has": re.compile(r"_has:"),
    "sort": re.compile(r"_sort="),
    "_filter": re.compile(r"_filter="),
    "_list": re.compile(r"_list="),
}
_DENIES = re.compile(r":not|:missing=true|not \(|not\(| ne | ni | pr false")
_LEADS = re.compile(r"_has|_(rev)?include|_filter|_list|\w\.\w")


def searches(run: Run) -> None:
    """Any search, in every manner, asked of several callers each."""
    for turn in range(run.turns):
        asked = query(run.rng, run.oracle).request
        manner = MANNERS[turn % len(MANNERS)]
        whole = _whole(run, asked)
        if whole is None:
            run.tally.leave_out("search")
            continue
        for asker in run.rng.sample(run.askers, min(3, len(run.askers))):
            _compare(run, asker, asked, manner, whole)


def of_types(run: Run) -> None:
    """Every row of each type, by `_id` too, and all that comes along with them."""
    types = sorted({row.type for row in run.rows})
    for type in types:
        named = [row.name.partition("/")[2] for row in run.rows if row.type == type]
        some = ",".join(run.rng.sample(named, min(8, len(named))))
        asked = run.one(
            (
                f"{type}?_id={some}",
                f"{type}?_lastUpdated=gt1900",
                f"{type}?_id={some}&_include=*",
                f"{type}?_id={some}&_revinclude=*",
                f"{type}?_id={some}&_include:iterate=*",
                f"{type}?_id={some}&_include=*&_revinclude:iterate=Provenance:target",
            )
        )
        whole = _whole(run, asked)
        if whole is None:
            run.tally.leave_out("search of a type")
            continue
        for _ in range(max(run.turns // 40, 1)):
            _compare(run, run.asker(), asked, run.one(MANNERS), whole, "search of a type")


def linked(run: Run) -> None:
    """A few rows, seen in part as often as whole, and what comes along by one way of asking."""
    types = sorted({row.type for row in run.rows})
    for turn in range(run.turns // 2):
        asker = run.asker()
        type = run.one(WITH_PARTS if turn % 2 else types)
        some = {run.row_for(asker, type, letter="s").name.partition("/")[2] for _ in range(3)}
        by = run.one((*_forward(type), *_backward(type, types), "_include=*", "_revinclude=*"))
        asked = f"{type}?_id={','.join(sorted(some))}&{by}"
        whole = _whole(run, asked)
        if whole is None:
            run.tally.leave_out("linked")
            continue
        _compare(run, asker, asked, run.one(MANNERS), whole, "linked")


def _forward(type: str) -> list[str]:
    """Return an `_include` by each reference of a type."""
    codes = [one.code for one in definitions.searchable(type) if one.kind == "reference"]
    return [f"_include={type}:{code}" for code in codes]


def _backward(type: str, types: list[str]) -> list[str]:
    """Return a `_revinclude` by each reference to a type."""
    return [
        f"_revinclude={source}:{one.code}"
        for source in types
        for one in definitions.searchable(source)
        if one.kind == "reference" and type in one.targets
    ]


def all_rows(run: Run) -> None:
    """All rows of a type at once: what one sees of a world, row by row."""
    types = sorted({row.type for row in run.rows})
    for _ in range(run.turns // 2):
        all_of(run, run.asker(), run.one(types))


def all_of(run: Run, asker: Asker, type: str) -> None:
    """Compare all rows of a type that are answered to a caller with what it should see."""
    found, _ = found_of(asker, f"{type}?_lastUpdated=gt1900", "GET")
    rows = [row for row in run.rows if row.type == type and not row.is_deleted]
    shown = {row.name for row in rows if asker.sight.sees(row, "s")}
    run.tally.answer(
        "all of a type", asker.name, type,
        found=set(found), expected=shown, whole={row.name for row in rows},
    )  # fmt: skip


def in_compartments(run: Run) -> None:
    """`Patient/id/Type` and the other compartments.

    Of one that is hidden those rows that are seen all the same: they tell whose they are.
    """
    for _ in range(run.turns // 2):
        asker = run.asker()
        focus = run.row_for(asker, "Patient", "Patient", "Encounter", "Practitioner")
        types = [
            type
            for type in sorted({row.type for row in run.rows})
            if definitions.compartment_codes(focus.type, type)
        ]
        asked = f"{focus.name}/{run.one(types)}?_lastUpdated=gt1900"
        whole = _whole(run, asked)
        if whole is not None:
            _compare(run, asker, asked, "GET", whole, "compartment")


def _compare(
    run: Run,
    asker: Asker,
    asked: str,
    manner: str,
    whole: frozenset[str],
    path: str = "search",
) -> None:
    expected = _expected(run, asker, asked)
    every = expected.matches | expected.included
    status, body = ask(asker.client, f"{asked}&_count={_PAGE}", manner)
    if status != 200:
        _refused(run, asker, asked, (status, body), every, path)
        return
    found, included = found_of(asker, asked, manner)
    told = f"{manner} {asked}"
    names = frozenset(found) | (frozenset(included) - expected.matches)
    # What the record tells by itself of who made what, the path `provenance` asks about.
    names = frozenset(one for one in names if not one.startswith("Provenance/auto-"))
    if "_revinclude=*" in asked:
        # The record goes by every reference, the oracle by those that have a parameter.
        every |= {name for name in names - every if _refers(run, asker, name, names)}
    if ":iterate=" in asked:
        every |= {name for name in names - every if _is_hop(run, asker, name, names)}
    if names < every and _DENIES.search(unquote_plus(asked)):
        # Nobody finds a row by lacking what is hidden of it: rows seen in part may be left out.
        strict = asker.sight.strict.search(asked)
        every = names if strict.matches | strict.included <= names else every
    run.tally.answer(path, asker.name, told, found=names, expected=every, whole=whole)
    run.tally.asked_by([f"{manner} search", *ways_of(asked)])
    if names == every and "_sort=" in asked and not expected.is_in_order(found):
        run.tally.differs(path, f"{asker.name}: {told} is in another order")


def ways_of(asked: str) -> list[str]:
    """Return in which ways a search is asked."""
    return [way for way, one in _ASKED.items() if one.search(asked)]


def _expected(run: Run, asker: Asker, asked: str) -> Answer:
    """Return what the oracle answers, who knows of the focus of a compartment that it is there."""
    path = asked.partition("?")[0]
    oracle = asker.sight.oracle
    known = oracle.asking.population.by_name
    focus = path.rpartition("/")[0]
    if path.count("/") != 2 or focus in known:
        return oracle.search(asked)
    known[focus] = run.oracle.asking.population.by_name[focus]
    try:
        return oracle.search(asked)
    finally:
        del known[focus]


def _is_hop(run: Run, asker: Asker, name: str, names: frozenset[str]) -> bool:
    """Tell whether a row that is seen refers to a hidden one that another does: both show so."""
    shown = {one: _shown(run, asker, one) for one in names}
    hidden = {one for one in mentioned(shown[name] or {}) if one not in names}
    others = [one for other, one in shown.items() if other != name and one is not None]
    return shown[name] is not None and any(not hidden.isdisjoint(mentioned(one)) for one in others)


def _refers(run: Run, asker: Asker, name: str, names: frozenset[str]) -> bool:
    """Tell whether what is seen of a row refers to one of these."""
    shown = _shown(run, asker, name)
    return shown is not None and not names.isdisjoint(mentioned(shown))


def _shown(run: Run, asker: Asker, name: str) -> Resource | None:
    row = run.served.world.record.row(name)
    return asker.sight.shown(row) if row is not None else None


def found_of(asker: Asker, asked: str, manner: str) -> tuple[list[str], list[str]]:
    """Return the matches of a search and what came along, of all pages."""
    found: list[str] = []
    included: list[str] = []
    for bundle in pages(asker.client, f"{asked}&_count={_PAGE}", manner=manner, most=_MOST):
        found += map(_name, matches(bundle))
        included += map(_name, matches(bundle, "include"))
    return found, included


def _refused(
    run: Run,
    asker: Asker,
    asked: str,
    answer: tuple[int, Resource],
    every: frozenset[str],
    path: str,
) -> None:
    status, body = answer
    codes = {issue.get("code") for issue in body.get("issue", ())}
    if status == 403 and not every:
        run.tally.answer(path, asker.name, asked, found=set(), expected=every, whole=None)
    elif status == 403 and _leads_elsewhere(asker, asked):
        run.tally.withhold(path)
    elif codes & {"too-costly", "not-supported"}:
        run.tally.leave_out(path)
    else:
        run.tally.differs(path, f"{asker.name}: {asked} answered {status}: {body.get('issue')}")


def _leads_elsewhere(asker: Asker, asked: str) -> bool:
    """Tell whether a question leads through, or brings along, types that the role may not see."""
    seen = {type for type, _ in asker.sight.rows("s")}
    named = set(_TYPES.findall(unquote_plus(asked.partition("?")[2])))
    return bool(_LEADS.search(asked)) or not named <= seen


def _whole(run: Run, asked: str) -> frozenset[str] | None:
    """Return what is answered to whom nothing is hidden from; None for a refusal."""
    names: set[str] = set()
    status, _ = ask(run.everything, f"{asked}&_count={_PAGE}")
    if status != 200:
        return None
    for bundle in pages(run.everything, f"{asked}&_count={_PAGE}", most=_MOST):
        names.update(_name(one) for mode in ("match", "include") for one in matches(bundle, mode))
    return frozenset(names)


def _name(entry: Resource) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


SEARCHES: dict[str, Callable[[Run], None]] = {
    "search": searches,
    "search of a type": of_types,
    "linked": linked,
    "all of a type": all_rows,
    "compartment": in_compartments,
}
