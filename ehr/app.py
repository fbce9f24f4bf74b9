"""Compose the application: settings, record, routes. Nothing is decided here."""

import atexit
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from flask import Flask

import auth
from auth.joining import upstream_providers
from auth.joining.mail import Server
from auth.joining.upstream_providers import Provider
from auth.sign_in.passkeys import are_possible
from auth.sign_in.staff_sign_in import PASSKEY
from auth.surroundings import Surroundings
from ehr import logs, orphans
from ehr.audit.failing import AuditFailed
from ehr.audit.telling.happenings import Audited
from ehr.errors import Busy, Conflict, TimedOut, TooCostly
from ehr.people import People
from ehr.record import Record, open_record
from ehr.rest import slow_connections
from ehr.rest.arrivals import Arrivals
from ehr.rest.bases import MOUNT
from ehr.rest.endpoint import open_door
from ehr.rest.routes import fhir_routes, health_routes
from ehr.settings import Settings, SettingsError, check_public, load, own_base, warning
from ehr.store import feed
from ehr.store.safe import Safe
from fhir_profiles.validator import validate

_LOG = logging.getLogger("ehr.app")


def create_app(record: Record | None = None, settings: Settings | None = None) -> Flask:
    """Return the web application; without arguments it reads the environment."""
    serves = record is None
    if record is None:
        settings = settings or load(os.environ)
        check_public(settings)
        logs.begin(settings.log)
        if (said := warning(settings)) is not None:
            _LOG.warning(said)
        record = open_record(settings)
    app = Flask(__name__, static_folder=None)
    # The record's paths are exact: `//` is an error to report, not a redirect.
    app.url_map.merge_slashes = False
    surroundings = surroundings_of(record)
    app.register_blueprint(fhir_routes(open_door(record, surroundings)))
    app.register_blueprint(health_routes(_readiness(record)))
    auth.init_app(app, surroundings)
    arrivals = Arrivals(record.settings.threads, record.settings.body_timeout)
    app.wsgi_app = arrivals.around(app.wsgi_app, MOUNT, auth.MOUNT)  # type: ignore[assignment, method-assign]  # as Flask says
    if serves:
        _start_trail(record)
        orphans.watch()
        slow_connections.watch(arrivals, record.settings.port)
        _prepare_types(record)
        threading.Thread(target=_keep_stamping, args=(record,), daemon=True).start()
        _spare_collector()
    return app


def _start_trail(record: Record) -> None:
    """Replay what a process left that was killed, and record from now on; end it with this one."""
    try:
        record.trail.start()
    except OSError as error:
        raise SettingsError(
            "Events can't be recorded.",
            f"EHR_AUDIT_FOLDER={record.settings.audit_folder}: {error.strerror or error}.",
            "Name a folder that this server may write to, or set EHR_AUDIT=strict.",
        ) from None
    atexit.register(record.database.close)


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


def surroundings_of(record: Record) -> Surroundings:
    """Return what `auth` is given of this record."""
    base = own_base(record.settings)
    audited = Audited(record.database, record.trail, record.clock)
    surroundings = Surroundings(
        store=audited,
        safe=Safe(record.database),
        people=People(record),
        clock=record.clock,
        base=base,
        root=base.removesuffix(MOUNT),
        refusals=(Busy, Conflict, TimedOut, TooCostly),
        options={
            "upstream": _providers(record.settings),
            "jwks_origins": record.settings.jwks_origins,
            "proxies": record.settings.trusted_proxies,
            "staff_sign_in": record.settings.staff_sign_in,
            "mail": _mail(record.settings),
        },
        tell=audited.tell,
    )
    _check_passkeys(surroundings)
    return surroundings


def _mail(settings: Settings) -> Server | None:
    return Server(settings.smtp_url, settings.mail_from) if settings.smtp_url else None


def _check_passkeys(surroundings: Surroundings) -> None:
    """Refuse to shut all staff out: by an address without name or TLS, browsers make no passkey."""
    if surroundings.options["staff_sign_in"] == PASSKEY and not are_possible(surroundings):
        raise SettingsError(
            "Browsers make passkeys only for an address with a name, over https.",
            f"EHR_STAFF_SIGN_IN={PASSKEY}, with pages at {surroundings.root}.",
            "Set EHR_BASE_URL to the public address, such as https://record.example.org/fhir.",
        )


def _providers(settings: Settings) -> Sequence[Provider]:
    try:
        return upstream_providers.read(settings.upstream)
    except ValueError as error:
        raise SettingsError(
            f"The providers can't be read: {error}.",
            f"EHR_UPSTREAM={settings.upstream}.",
            "Correct the file; its members are listed in auth/joining/upstream_providers.py.",
        ) from None


def _readiness(record: Record) -> Callable[[], bool]:
    """Tell whether the database answers, and what is asked could be recorded."""

    def is_ready() -> bool:
        if not record.trail.healthy():
            raise AuditFailed
        with record.database.read() as connection:
            return connection.exec_driver_sql("SELECT 1").scalar() == 1

    return is_ready
