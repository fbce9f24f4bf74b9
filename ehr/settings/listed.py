"""Every setting: environment variable, type, safe default and one line of help.

`SETTINGS` is the one list that `ehr settings`, the documentation and the tests read.
"""

from dataclasses import dataclass, fields

from ehr.settings import values
from ehr.settings.described import DEVELOPMENT_SECRET, Setting, setting
from ehr.settings.limits import Limit, limit
from fhir_profiles import json_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force. `load` reads them from an environment; tests name what they change."""

    database_url: str = setting(
        "sqlite:///ehr.db",
        "database URL",
        "Where the record is kept: sqlite:///file or postgresql://user:password@host/name.",
        values.database_url,
    )
    base_url: str = setting(
        "",
        "URL or empty",
        "Public base of the API, such as https://record.example.org/fhir; "
        "empty takes it from each request.",
        values.base_url,
    )
    plain_http: bool = setting(
        "off",
        "on or off",
        "Whether a base without TLS (http) may be on another host than this machine: who listens "
        "on the way reads records, tokens and passwords.",
        values.switch,
    )
    references: str = setting(
        "subject",
        "subject, all or none",
        "Which local references must exist: the subject, all of them, or none (mirrors).",
        values.one_of("subject", "all", "none"),
    )
    update_create: bool = setting(
        "on", "on or off", "Whether PUT to an unused id creates the resource.", values.switch
    )
    conditional_delete: str = setting(
        "single",
        "single or multiple",
        "Whether a conditional delete may remove more than one match.",
        values.one_of("single", "multiple"),
    )
    conditional_delete_limit: int = setting(
        "100",
        "number",
        "Most matches that one conditional delete removes; more are refused.",
        values.number(1, 10_000),
    )
    body_limit: Limit = setting(
        "5 MiB, 64 MiB",
        "size, for people and for systems",
        "Largest request body, counted after decompression.",
        limit(values.size(1024, 2 * 1024**3)),
    )
    bundle_limit: Limit = setting(
        "500, 10000",
        "number, for people and for systems",
        "Most entries of a batch or transaction.",
        limit(values.number(1, 1_000_000)),
    )
    depth_limit: int = setting(
        "64",
        "number",
        "Deepest nesting of a document that is accepted.",
        values.number(16, json_format.DEEPEST),
    )
    request_timeout: float = setting(
        "60 s",
        "duration",
        "Longest time one request may work in the database.",
        values.duration(1, 3600),
    )
    body_timeout: float = setting(
        "30 s",
        "duration",
        "Longest wait for a request's body: for each 64 KiB of it, and for its end.",
        values.duration(1, 3600),
    )
    record_timezone: str = setting(
        "UTC",
        "time zone",
        "Zone of dates that are sent without one, such as Europe/London.",
        values.timezone,
    )
    secret: str = setting(
        DEVELOPMENT_SECRET,
        "secret of 16 characters or more",
        "Wraps the keys kept in the database; must be set before the record is public.",
        values.secret,
        secret=True,
    )
    cors_origins: tuple[str, ...] = setting(
        "",
        "origins, * or empty",
        "Web origins whose scripts may call the API, besides those that clients in use are "
        "registered with; * for any.",
        values.origins,
    )
    host: str = setting("127.0.0.1", "address", "Address the server listens on.", values.host)
    port: int = setting("8000", "number", "Port the server listens on.", values.number(1, 65535))
    workers: int = setting("2", "number", "Server processes.", values.number(1, 256))
    threads: int = setting("16", "number", "Threads of each process.", values.number(1, 256))
    page_size: int = setting(
        "20",
        "number",
        "Entries of a page when the caller asks for no _count.",
        values.number(1, 10_000),
    )
    page_limit: Limit = setting(
        "200, 1000",
        "number, for people and for systems",
        "Most entries a page may have.",
        limit(values.number(1, 10_000)),
    )
    matches_per_hour: Limit = setting(
        "60, 10000",
        "number, for people and for systems",
        "Most look-ups of a patient by number and birth date (Patient/$match) that a caller may "
        "make in an hour.",
        limit(values.number(1, 1_000_000)),
    )
    staff_sign_in: str = setting(
        "second-factor",
        "second-factor or passkey",
        "What professionals must show: two factors, or a passkey; they set up what they lack.",
        values.one_of("second-factor", "passkey"),
    )
    smtp_url: str = setting(
        "",
        "URL or empty",
        "E-mail server that sends invitations: smtps://user:password@host, or smtp:// with "
        "STARTTLS; empty prints them only.",
        values.smtp_url,
    )
    mail_from: str = setting(
        "",
        "e-mail address or empty",
        "Address that invitations are sent from.",
        values.mail_address,
    )
    upstream: str = setting(
        "",
        "file or empty",
        "JSON file of other OpenID providers that people may sign in with, such as NHS login.",
        values.readable_file,
    )
    jwks_origins: tuple[str, ...] = setting(
        "",
        "origins or empty",
        "Web origins of your own network whose clients' keys may be fetched (jwks_uri); "
        "others must be public, and https.",
        values.origins,
    )
    trusted_proxies: tuple[str, ...] = setting(
        "127.0.0.0/8 ::1",
        "addresses or networks",
        "Proxies in front of the record, whose X-Real-IP tells where guesses come from.",
        values.networks,
    )
    audit: str = setting(
        "strict",
        "strict or journal",
        "How an event is safe before its answer leaves: committed, or written to the worker's own "
        "journal (faster; where power fails, up to 50 ms of reads are lost).",
        values.one_of("strict", "journal"),
    )
    audit_folder: str = setting(
        "ehr-audit",
        "folder",
        "Where journals are kept, on a volume that outlives the server; queries stand in them.",
        values.folder,
    )
    audit_checkpoint: str = setting(
        "",
        "file or empty",
        "File that signed heads of the audit chain are added to, best on another machine.",
        str,
    )
    log: str = setting(
        "info",
        "debug, info, warning or error",
        "How much is logged; never record content.",
        values.one_of("debug", "info", "warning", "error"),
    )


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(f"EHR_{found.name.upper()}", found.name, **found.metadata) for found in fields(Settings)
)
