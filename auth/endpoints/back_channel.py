"""All that clients ask without a browser: tokens, what is done with them, and registration."""

from flask import Blueprint

from auth.endpoints.introspect import open_introspect
from auth.endpoints.par import open_par
from auth.endpoints.register import open_register
from auth.endpoints.revoke import open_revoke
from auth.endpoints.token import open_token
from auth.endpoints.token_server import Server
from auth.surroundings import Surroundings


def open_back_channel(routes: Blueprint, surroundings: Surroundings) -> None:
    """Answer at `/token`, `/revoke`, `/introspect`, `/par` and `/register`."""
    server = Server(surroundings)
    for opening in (open_token, open_revoke, open_introspect, open_par, open_register):
        opening(routes, server)
