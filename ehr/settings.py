"""Every setting: environment variable, type, safe default and one line of help.

`SETTINGS` is the one list that `ehr settings`, the documentation and the tests read. Unknown `EHR_`
names are refused, because a misspelt safety setting must not pass in silence.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from typing import Any

from ehr import setting_values as values
from fhir_profiles import json_format

DEVELOPMENT_SECRET = "for-development-only"  # noqa: S105  refused by check_public

# Read by the tests, and by `ehr load --url` as a client; no settings of the record.
_FOREIGN = frozenset({"EHR_SHARED", "EHR_TEST_ENGINES", "EHR_TEST_POSTGRES", "EHR_TOKEN"})


class SettingsError(Exception):
    """A setting that cannot be used: what is wrong, where, and what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(f"{what} {where} {remedy}")
        self.what, self.where, self.remedy = what, where, remedy


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable; `default` is written as a person would write it."""

    variable: str
    attribute: str
    kind: str
    default: str
    help: str
    read: Callable[[str], Any]
    secret: bool = False

    def shown(self, text: str) -> str:
        """Return what was written as it may be printed: passwords and secrets are left out."""
        if self.secret:
            return "(development default)" if text == DEVELOPMENT_SECRET else "(set)"
        return values.without_password(text)


def _setting(
    default: str, kind: str, help: str, read: Callable[[str], Any], *, secret: bool = False
) -> Any:
    described = {"default": default, "kind": kind, "help": help, "read": read, "secret": secret}
    return field(default_factory=lambda: read(default), metadata=described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force. `load` reads them from an environment; tests name what they change."""

    database_url: str = _setting(
        "sqlite:///ehr.db",
        "database URL",
        "Where the record is kept: sqlite:///file or postgresql://user:password@host/name.",
        values.database_url,
    )
    base_url: str = _setting(
        "",
        "URL or empty",
        "Public base of the API, such as https://record.example.org/fhir; "
        "empty takes it from each request.",
        values.base_url,
    )
    references: str = _setting(
        "subject",
        "subject, all or none",
        "Which local references must exist: the subject, all of them, or none (mirrors).",
        values.one_of("subject", "all", "none"),
    )
    update_create: bool = _setting(
        "on", "on or off", "Whether PUT to an unused id creates the resource.", values.switch
    )
    conditional_delete: str = _setting(
        "single",
        "single or multiple",
        "Whether a conditional delete may remove more than one match.",
        values.one_of("single", "multiple"),
    )
    conditional_delete_limit: int = _setting(
        "100",
        "number",
        "Most matches that one conditional delete removes; more are refused.",
        values.number(1, 10_000),
    )
    body_limit: int = _setting(
        "64 MiB",
        "size",
        "Largest request body, counted after decompression.",
        values.size(1024, 2 * 1024**3),
    )
    depth_limit: int = _setting(
        "64",
        "number",
        "Deepest nesting of a document that is accepted.",
        values.number(16, json_format.DEEPEST),
    )
    request_timeout: float = _setting(
        "60 s",
        "duration",
        "Longest time one request may work in the database.",
        values.duration(1, 3600),
    )
    body_timeout: float = _setting(
        "30 s",
        "duration",
        "Longest wait for a request's body: for each 64 KiB of it, and for its end.",
        values.duration(1, 3600),
    )
    record_timezone: str = _setting(
        "UTC",
        "time zone",
        "Zone of dates that are sent without one, such as Europe/London.",
        values.timezone,
    )
    secret: str = _setting(
        DEVELOPMENT_SECRET,
        "secret of 16 characters or more",
        "Wraps the keys kept in the database; must be set before the record is public.",
        values.secret,
        secret=True,
    )
    cors_origins: tuple[str, ...] = _setting(
        "*",
        "origins, * or empty",
        "Web origins whose scripts may call the API. Any may by default: "
        "nothing but a token opens it, never a cookie.",
        values.origins,
    )
    host: str = _setting("127.0.0.1", "address", "Address the server listens on.", values.host)
    port: int = _setting("8000", "number", "Port the server listens on.", values.number(1, 65535))
    workers: int = _setting("2", "number", "Server processes.", values.number(1, 256))
    threads: int = _setting("16", "number", "Threads of each process.", values.number(1, 256))
    page_size: int = _setting(
        "20",
        "number",
        "Entries of a page when the caller asks for no _count.",
        values.number(1, 10_000),
    )
    page_limit: int = _setting(
        "1000", "number", "Most entries a page may have.", values.number(1, 10_000)
    )
    log: str = _setting(
        "info",
        "debug, info, warning or error",
        "How much is logged; never record content.",
        values.one_of("debug", "info", "warning", "error"),
    )


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(f"EHR_{found.name.upper()}", found.name, **found.metadata) for found in fields(Settings)
)


def load(environment: Mapping[str, str]) -> Settings:
    """Read every `EHR_*` variable; raise SettingsError at the first that cannot be used."""
    _refuse_unknown(environment)
    given = {
        setting.attribute: _read(setting, environment[setting.variable])
        for setting in SETTINGS
        if setting.variable in environment
    }
    settings = Settings(**given)
    if settings.page_size > settings.page_limit:
        raise SettingsError(
            f"A page of {settings.page_size} entries is larger than the limit "
            f"of {settings.page_limit}.",
            "EHR_PAGE_SIZE and EHR_PAGE_LIMIT.",
            "Lower EHR_PAGE_SIZE or raise EHR_PAGE_LIMIT.",
        )
    return settings


def check_public(settings: Settings) -> None:
    """Refuse to listen beyond this machine with the secret that everybody knows."""
    if settings.secret == DEVELOPMENT_SECRET and not _is_loopback(settings.host):
        raise SettingsError(
            "The development secret protects nothing once others can reach the server.",
            f"EHR_SECRET, with EHR_HOST={settings.host}.",
            "Set EHR_SECRET to 16 or more random characters, or listen on 127.0.0.1.",
        )


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [setting.variable for setting in SETTINGS]
    for name in sorted(environment):
        if name.startswith("EHR_") and name not in known and name not in _FOREIGN:
            # What all names begin with makes none of them closer.
            ends = [one.removeprefix("EHR_") for one in known]
            near = difflib.get_close_matches(name.removeprefix("EHR_"), ends, n=1)
            hint = f"Did you mean EHR_{near[0]}? " if near else ""
            raise SettingsError(
                f"There is no setting {name}.",
                "the environment.",
                f"{hint}Remove it, or see `ehr settings` for all names.",
            )


def _read(setting: Setting, text: str) -> Any:
    try:
        return setting.read(text.strip())
    except ValueError as error:
        shown = "The value" if setting.secret else f"`{values.without_password(text)}`"
        raise SettingsError(
            f"{shown} can't be used: {error}.",
            f"{setting.variable}.",
            f"Give a {setting.kind}; the default is `{setting.default}`."
            if not setting.secret
            else "Give 16 or more random characters.",
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
