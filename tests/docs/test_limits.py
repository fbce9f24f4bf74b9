"""The table of limits is that of the code."""

import re
from pathlib import Path

from ehr.search.grammar import chains, controls, criterion, filter_syntax, query, weights
from ehr.search.plan import steps
from ehr.search.results import cursor, include

README = Path(__file__).resolve().parents[2] / "ehr" / "README.md"


def test_the_limits_of_a_search_are_told_as_they_are() -> None:
    section = README.read_text("utf-8").partition("## Limits of a search")[2].partition("\n## ")[0]

    told = {
        what.strip(): int(number.replace(",", ""))
        for what, number in re.findall(r"\| ([^|]+) \| ([\d,]+) (?=\|)", section)
    }

    assert told == {
        "parameters": query.MAXIMUM_PARAMETERS,
        "values of a parameter": criterion.MAXIMUM_ALTERNATIVES,
        "values together, for each type": weights.MAXIMUM_VALUES,
        "references followed, for each type": weights.MAXIMUM_FOLLOWED,
        "keys of `_sort`": controls.MAXIMUM_SORT_KEYS,
        "tests of a `_filter`": filter_syntax.MAXIMUM_TESTS,
        "levels of a `_filter`": filter_syntax.MAXIMUM_DEPTH,
        "hops of a chain or `_has`": chains.MAXIMUM_HOPS,
        "types that a chain leads to": chains.MAXIMUM_BRANCHES,
        "resources that a hop passes through": steps.MAXIMUM_STEP,
        "rounds of `:iterate`": include.MAXIMUM_ROUNDS,
        "resources included in a page": include.MAXIMUM_INCLUDED,
        "hours that a page link lives": cursor.LIFETIME // 3_600_000,
    }
