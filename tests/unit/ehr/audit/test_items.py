"""Returned rows, packed: any list comes back, and a common one is short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.audit.items import MOST, Item, pack, unpack

_keys = st.integers(-(2**62), 2**62)
_items = st.lists(st.tuples(_keys, _keys, st.integers(0, 2**31)), max_size=20)


@given(_items, _keys)
def test_items_come_back(items: list[Item], key: int) -> None:
    assert unpack(pack(items, key), key) == tuple(items)


def test_a_page_of_one_patient_takes_few_bytes() -> None:
    page = [(70_000, 900_000 + n, 1) for n in range(20)]

    assert len(pack(page, 70_000)) <= 20 * 3 + 4


def test_no_more_are_kept_than_a_row_holds() -> None:
    assert len(unpack(pack([(1, n, 1) for n in range(MOST + 10)]))) == MOST


@pytest.mark.parametrize("cut", [b"\x80", b"\x02\x02", b"\x02\x02\x01\x02"])
def test_what_is_cut_off_is_refused(cut: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|shorter|longer"):
        unpack(cut)
