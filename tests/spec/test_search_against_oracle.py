"""Generated searches on generated populations: the record on each engine against the oracle.

FHIR R4 §3.1.1. Seeds make every run the same; a disagreement prints its request and resources.
What the record refuses by name is left out and counted. `python -m pytest -rP` shows the counts.
"""

from pathlib import Path
from random import Random

import hypothesis
import hypothesis.strategies as st
import pytest

from fhir_profiles.definitions import resource_types
from tests import engines
from tests.spec.compared import Tally, compare, record_with
from tests.spec.oracle.dates import PREFIXES
from tests.spec.oracle.made_people import population
from tests.spec.oracle.made_queries import query
from tests.spec.oracle.search import Oracle

# What may not be refused, and never gives an answer that is not the oracle's.
ANSWERED = frozenset(
    {
        *("string", "token", "date", "number", "quantity", "uri", "reference", "composite"),
        *(f"prefix {prefix}" for prefix in PREFIXES),
        *("string:exact", "string:contains", "uri:below", "uri:above", ":missing"),
        *("token:in", "token:not-in", "token:above", "token:below"),
        *("reference:above", "reference:below"),
        *("token:not", "token:text", "token:of-type", "composite in a repeated element"),
        *("reference:identifier", *(f"reference:{type}" for type in resource_types())),
        *("and", "or", "chain", "chain untyped", "chain into contained", "chain through canonical"),
        *("_has", "_list", "_filter", "compartment"),
        *("_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"),
        *("_sort date", "_sort string", "_sort number", "_sort quantity", "_sort uri"),
        *("_sort token", "_sort reference"),
        *("_include", "_revinclude", "_include:iterate", "_revinclude:iterate", "_include of all"),
    }
)


def _run(url: str, seed: int, queries: int, tally: Tally, *, size: int = 100) -> None:
    """Compare the answers to some searches on the population of a seed."""
    rng = Random(seed)
    with record_with(url, population(rng, size)) as (client, stored):
        oracle = Oracle(stored, convert=True)
        for _ in range(queries):
            compare(client, oracle, query(rng, oracle), tally)


def _runs(engine: str, folder: Path, seeds: range, queries: int) -> Tally:
    tally = Tally(ANSWERED)
    for seed in seeds:
        with engines.fresh_url(engine, folder) as url:
            _run(url, seed, queries, tally)
    print(f"{engine}: {tally}")  # noqa: T201 - the counts are the finding
    return tally


def _report(tally: Tally) -> str:
    return "\n\n".join([f"{len(tally.wrong)} disagreements", *tally.wrong[:10]])


@pytest.mark.parametrize("engine", engines.chosen())
def test_some_searches_find_what_r4_says(engine: str, tmp_path: Path) -> None:
    tally = _runs(engine, tmp_path, range(2), 120)

    assert tally.wrong == [], _report(tally)
    assert tally.compared >= 200


@pytest.mark.slow
@pytest.mark.parametrize("engine", engines.chosen())
def test_thousands_of_searches_find_what_r4_says(engine: str, tmp_path: Path) -> None:
    tally = _runs(engine, tmp_path, range(100, 106), 500)

    assert tally.wrong == [], _report(tally)
    assert tally.compared > 2_000


@pytest.mark.full
@pytest.mark.parametrize("engine", engines.chosen())
def test_fifty_thousand_searches_find_what_r4_says(engine: str, tmp_path: Path) -> None:
    tally = _runs(engine, tmp_path, range(1_000, 1_125), 500)

    assert tally.wrong == [], _report(tally)
    assert tally.compared >= 50_000


@pytest.mark.slow
@pytest.mark.parametrize("engine", engines.chosen())
@hypothesis.settings(
    # Each example asks hundreds of questions.
    max_examples=max(25, hypothesis.settings().max_examples // 8),
    suppress_health_check=list(hypothesis.HealthCheck),  # an example is a whole database
)
@hypothesis.given(rng=st.randoms(use_true_random=False), size=st.integers(5, 40))
def test_the_smallest_population_that_disagrees(
    engine: str, tmp_path_factory: pytest.TempPathFactory, rng: Random, size: int
) -> None:
    tally = Tally(ANSWERED)
    folder = tmp_path_factory.mktemp("small")
    with (
        engines.fresh_url(engine, folder) as url,
        record_with(url, population(rng, size)) as (client, stored),
    ):
        oracle = Oracle(stored, convert=True)
        for _ in range(10):
            compare(client, oracle, query(rng, oracle), tally)

    assert tally.wrong == [], _report(tally)
