"""The page about roles is what the code says, and every decision names its winner."""

from auth.roles import as_text
from auth.roles.decisions import CARE, DECISIONS, ISSUE, JOURNEY, OURS, POLICY
from auth.roles.families import FAMILY_OF
from auth.roles.known import ROLES, WORDS
from auth.roles.matrix import rights
from auth.roles.narrowings import NARROWINGS


def test_the_page_is_up_to_date() -> None:
    assert as_text.stands() == as_text.text(), "run `python3 -m auth.roles.as_text`"


def test_the_page_has_every_role_word_and_type() -> None:
    text = as_text.stands()

    assert all(f"| `{role.word}` | {role.label} |" in text for role in ROLES)
    assert all(f"| `{one.word}` | {one.kind} | {one.meaning} |" in text for one in NARROWINGS)
    assert all(type in text for type in FAMILY_OF)


def test_a_row_of_the_table_has_a_cell_for_each_role() -> None:
    table = as_text.stands().partition("### Table")[2].partition("###")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]

    assert len(rows) > 40
    assert {row.count(" | ") for row in rows if "---" not in row} == {len(WORDS)}


def test_no_cell_breaks_a_row() -> None:
    for one in DECISIONS:
        assert "|" not in one.about + one.differ + one.why
    assert not any("|" in one.meaning for one in NARROWINGS)


def test_a_cell_is_written_in_the_order_of_letters() -> None:
    assert as_text.cell(rights("patient", "Goal")) == "c:proposed rs u:own"
    assert as_text.cell(rights("gp", "Goal")) == "crush"
    assert as_text.cell(()) == "-"


def test_every_decision_names_one_of_the_sources_and_why() -> None:
    assert {one.won for one in DECISIONS} == {ISSUE, JOURNEY, CARE, POLICY, OURS}
    assert all(one.differ.endswith(".") and one.why.endswith(".") for one in DECISIONS)
    assert len({one.about for one in DECISIONS}) == len(DECISIONS)
