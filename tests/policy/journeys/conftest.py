"""The record that each journey begins with."""

from typing import TYPE_CHECKING

import pytest

from tests.policy.journeys.people import Cast, open_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehr.record import Record
    from tests.client import Client


@pytest.fixture
def cast(client: "Client", client_of: "Callable[..., Client]", record: "Record") -> Cast:
    """Give Mary's record and the people around her."""
    return open_record(client, client_of("surgery"), record)
