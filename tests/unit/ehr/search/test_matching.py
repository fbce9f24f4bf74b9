"""What clauses are made of: an OR that no engine finds too deep."""

from sqlalchemy import column

from ehr.search.matching import any_of


def test_long_or_is_a_balanced_tree() -> None:
    text = str(any_of([column("c") == number for number in range(500)]))

    depth = deepest = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    assert text.count(" OR ") == 499
    assert 3 <= deepest <= 10
