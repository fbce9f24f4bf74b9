"""All pages by which people sign in, out, join, and look after their account."""

from flask import Blueprint

from auth.endpoints.account import open_account
from auth.endpoints.factors import open_factors
from auth.endpoints.invite import open_invite
from auth.endpoints.join import open_join
from auth.endpoints.passkey_sign_in import open_passkey_sign_in
from auth.endpoints.register_patient import open_register_patient
from auth.endpoints.second_factor import open_second_factor
from auth.endpoints.sign_in import open_sign_in
from auth.endpoints.upstream import open_upstream
from auth.surroundings import Surroundings


def open_signing_in(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve every page of signing in."""
    open_sign_in(routes, surroundings)
    open_passkey_sign_in(routes, surroundings)
    open_second_factor(routes, surroundings)
    open_account(routes, surroundings)
    open_factors(routes, surroundings)
    open_join(routes, surroundings)
    open_invite(routes, surroundings)
    open_register_patient(routes, surroundings)
    open_upstream(routes, surroundings)
