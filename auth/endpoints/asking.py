"""Everything on the way of an authorization request, and what stands beside it: the list of it."""

from flask import Blueprint

from auth.endpoints.apps import open_apps
from auth.endpoints.authorize import open_authorize
from auth.endpoints.consent import open_consent
from auth.endpoints.launch import open_launch
from auth.endpoints.patient import open_patient
from auth.endpoints.style import open_style
from auth.endpoints.visit import open_visit
from auth.surroundings import Surroundings


def open_asking(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve authorization requests, consent, launches, and apps that have access."""
    open_authorize(routes, surroundings)
    open_patient(routes, surroundings)
    open_visit(routes, surroundings)
    open_consent(routes, surroundings)
    open_launch(routes, surroundings)
    open_apps(routes, surroundings)
    open_style(routes)
