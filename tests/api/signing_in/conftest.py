"""Fixtures of the tests of signing in: a browser, and somebody new."""

import pytest
from flask.testing import FlaskClient

from auth.surroundings import Surroundings
from ehr.app import create_app
from ehr.record import Record
from tests.signing_in import Known, make_user


@pytest.fixture
def browser(record: Record) -> FlaskClient:
    """Give a browser that nobody signed in with."""
    return create_app(record).test_client()


@pytest.fixture
def known(around: Surroundings) -> Known:
    """Give a professional who has no second factor yet."""
    return make_user(around, with_totp=False)
