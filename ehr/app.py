"""Compose the application: settings, record, routes. Nothing is decided here."""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable

from flask import Flask

from ehr import logs, orphans
from ehr.record import Record, open_record
from ehr.rest import slow_connections
from ehr.rest.arrivals import Arrivals
from ehr.rest.bases import MOUNT
from ehr.rest.endpoint import open_door
from ehr.rest.routes import fhir_routes, health_routes
from ehr.settings import Settings, check_public, load
from ehr.store import feed
from fhir_profiles.validator import validate


def create_app(record: Record | None = None, settings: Settings | None = None) -> Flask:
    """Return the web application; without arguments it reads the environment."""
    serves = record is None
    if record is None:
        settings = settings or load(os.environ)
        check_public(settings)
        logs.begin(settings.log)
        record = open_record(settings)
    app = Flask(__name__, static_folder=None)
    # The record's paths are exact: `//` is an error to report, not a redirect.
    app.url_map.merge_slashes = False
    app.register_blueprint(fhir_routes(open_door(record)))
    app.register_blueprint(health_routes(_readiness(record)))
    arrivals = Arrivals(record.settings.threads, record.settings.body_timeout)
    app.wsgi_app = arrivals.around(app.wsgi_app, MOUNT)  # type: ignore[assignment, method-assign]  # as Flask says
    if serves:
        orphans.watch()
        slow_connections.watch(arrivals, record.settings.port)
        _prepare_types(record)
        threading.Thread(target=_keep_stamping, args=(record,), daemon=True).start()
        _spare_collector()
    return app


# What nearly every bundle of care holds; other types are compiled when they first come.
_COMMON_TYPES = (
    "AllergyIntolerance", "Bundle", "CarePlan", "CareTeam", "Claim", "Composition", "Condition",
    "Coverage", "Device", "DiagnosticReport", "DocumentReference", "Encounter",
    "ExplanationOfBenefit", "Goal", "ImagingStudy", "Immunization", "Location", "Medication",
    "MedicationAdministration", "MedicationRequest", "Observation", "Organization", "Patient",
    "Practitioner", "PractitionerRole", "Procedure", "Provenance", "QuestionnaireResponse",
    "RelatedPerson", "ServiceRequest", "Task",
)  # fmt: skip


def _prepare_types(record: Record) -> None:
    """Compile checks and extractors before the first request has to wait for them."""
    for name in _COMMON_TYPES:
        bare = {"resourceType": name}
        validate(bare)
        record.indexer.rows(bare)


def _keep_stamping(record: Record) -> None:
    """Number committed transactions each second: walks look only at those not numbered yet."""
    trouble = logs.Trouble(logging.getLogger("ehr.feed"), "numbering committed transactions")
    while record.database.dialect == "postgresql":
        try:
            feed.stamp(record.database)
        except Exception as error:
            trouble.met(error)
        else:
            trouble.over()
        time.sleep(1)


def _spare_collector() -> None:
    """Keep the garbage collector from walking what stays, and the documents under way, too often.

    A parsed Bundle has hundreds of thousands of containers and no cycles: reference counts free
    it. By its defaults the collector would take a tenth of the time that a transaction needs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def _readiness(record: Record) -> Callable[[], bool]:
    def is_ready() -> bool:
        with record.database.read() as connection:
            return connection.exec_driver_sql("SELECT 1").scalar() == 1

    return is_ready
