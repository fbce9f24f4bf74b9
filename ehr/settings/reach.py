"""By which address the record is known, and whether it may be, as it is set."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from ehr.settings.described import DEVELOPMENT_SECRET, SettingsError
from ehr.settings.listed import Settings


def own_base(settings: Settings) -> str:
    """Return the base of the API as it is stated, else as this machine reaches it."""
    if settings.base_url:
        return settings.base_url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104  nothing listens here
    return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{settings.port}/fhir"


def check_public(settings: Settings) -> None:
    """Refuse what is not safe once others reach the record.

    That is the secret that everybody knows, and an address without TLS unless that is wanted.
    """
    if settings.secret == DEVELOPMENT_SECRET and not _is_loopback(settings.host):
        raise SettingsError(
            "The development secret protects nothing once others can reach the server.",
            f"EHR_SECRET, with EHR_HOST={settings.host}.",
            "Set EHR_SECRET to 16 or more random characters, or listen on 127.0.0.1.",
        )
    if not settings.plain_http and is_plain(settings):
        raise SettingsError(
            "Without TLS anybody on the way reads records, tokens and passwords.",
            f"EHR_BASE_URL={own_base(settings)}.",
            "Put TLS in front and give its https address; for a test, set EHR_PLAIN_HTTP=on.",
        )


def is_plain(settings: Settings) -> bool:
    """Tell whether the record is known on other machines by an address without TLS."""
    base = urlsplit(own_base(settings))
    return base.scheme == "http" and not _is_loopback(base.hostname or "")


def warning(settings: Settings) -> str | None:
    """Return what is to be said loudly at start; None where nothing is."""
    if is_plain(settings):
        return f"no_tls base={own_base(settings)} who listens on the way reads everything"
    if not settings.base_url and not _is_loopback(settings.host):
        return (
            f"no_base_url host={settings.host} apps and people elsewhere can't sign in; without "
            "TLS in front who listens on the way reads everything: set EHR_BASE_URL"
        )
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
