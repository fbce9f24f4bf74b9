"""Settings: safe defaults, friendly values, and refusals that say what to do."""

import pytest

from ehr.settings import SETTINGS, Limit, Settings, SettingsError, check_public, load, warning


def test_defaults_without_an_environment() -> None:
    assert load({"PATH": "/bin"}) == Settings()
    assert Settings().body_limit == Limit(5 * 1024**2, 64 * 1024**2)
    assert Settings().references == "subject"


def test_registry_is_small_and_explained() -> None:
    assert len(SETTINGS) <= 32
    assert all(each.help.endswith(".") and each.kind for each in SETTINGS)


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("EHR_BODY_LIMIT", "5 MB", "body_limit", Limit.of_all(5_000_000)),
        ("EHR_BODY_LIMIT", "1g", "body_limit", Limit.of_all(1024**3)),
        ("EHR_PAGE_LIMIT", "50 , 400", "page_limit", Limit(people=50, systems=400)),
        ("EHR_REQUEST_TIMEOUT", "2 min", "request_timeout", 120.0),
        ("EHR_REQUEST_TIMEOUT", "1500ms", "request_timeout", 1.5),
        ("EHR_UPDATE_CREATE", "No", "update_create", False),
        ("EHR_REFERENCES", "ALL", "references", "all"),
        ("EHR_BASE_URL", "https://a.example/fhir/", "base_url", "https://a.example/fhir"),
        ("EHR_DATABASE_URL", "postgres://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("EHR_CORS_ORIGINS", "https://a.example, https://b.example", "cors_origins",
         ("https://a.example", "https://b.example")),
        ("EHR_CORS_ORIGINS", "", "cors_origins", ()),
        ("EHR_RECORD_TIMEZONE", "Europe/London", "record_timezone", "Europe/London"),
        ("EHR_HOST", "::1", "host", "::1"),
    ],
)  # fmt: skip
def test_values_are_read(variable: str, text: str, attribute: str, value: object) -> None:
    assert getattr(load({variable: text}), attribute) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("EHR_BODY_LIMIT", "many"),
        ("EHR_BODY_LIMIT", "0"),
        ("EHR_BODY_LIMIT", "1e9"),
        ("EHR_BODY_LIMIT", "1 MB, many"),
        ("EHR_BUNDLE_LIMIT", "1, 2, 3"),
        ("EHR_BUNDLE_LIMIT", ","),
        ("EHR_PORT", "70000"),
        ("EHR_PORT", "-1"),
        ("EHR_REFERENCES", "some"),
        ("EHR_UPDATE_CREATE", "maybe"),
        ("EHR_BASE_URL", "record.example"),
        ("EHR_BASE_URL", "https://user@host/fhir"),
        ("EHR_BASE_URL", "https://[broken/fhir"),
        ("EHR_DATABASE_URL", "mysql://x/y"),
        ("EHR_RECORD_TIMEZONE", "Mars/Olympus"),
        ("EHR_RECORD_TIMEZONE", "../../etc/passwd"),
        ("EHR_RECORD_TIMEZONE", ""),
        ("EHR_CORS_ORIGINS", "app.example"),
        ("EHR_HOST", "not a host"),
        ("EHR_LOG", "loud"),
    ],
)
def test_bad_values_are_refused_in_three_parts(variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({variable: text})

    assert variable in refused.value.where
    assert refused.value.what
    assert refused.value.remedy


def test_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="Did you mean EHR_REFERENCES"):
        load({"EHR_REFERENCE": "all"})


def test_a_name_that_is_near_to_none_gets_no_suggestion() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"EHR_FOO": "1"})

    assert "Did you mean" not in str(refused.value)


@pytest.mark.parametrize(
    "variable", ["EHR_SHARED", "EHR_TEST_ENGINES", "EHR_TEST_POSTGRES", "EHR_TOKEN"]
)
def test_variables_of_tests_and_clients_are_let_through(variable: str) -> None:
    assert load({variable: "something"}) == Settings()


def test_short_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"EHR_SECRET": "tiny-secret"})

    assert "tiny-secret" not in str(refused.value)


def test_page_size_above_the_limit_is_refused() -> None:
    with pytest.raises(SettingsError, match="EHR_PAGE_LIMIT"):
        load({"EHR_PAGE_SIZE": "50", "EHR_PAGE_LIMIT": "10, 100"})


@pytest.mark.parametrize(
    ("kind", "most"),
    [("professional", 1), ("patient", 1), ("carer", 1), ("system", 2), ("operator", 2)],
)
def test_people_have_limits_of_their_own(kind: str, most: int) -> None:
    assert load({"EHR_BUNDLE_LIMIT": "1,2"}).bundle_limit.of(kind) == most


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "record.example"])
def test_development_secret_is_refused_in_public(host: str) -> None:
    with pytest.raises(SettingsError, match="EHR_SECRET"):
        check_public(load({"EHR_HOST": host, "EHR_BASE_URL": "https://record.example/fhir"}))

    tls = {"EHR_BASE_URL": "https://record.example/fhir", "EHR_SECRET": "0123456789abcdef"}
    check_public(load({"EHR_HOST": host, **tls}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_development_secret_serves_this_machine(host: str) -> None:
    check_public(load({"EHR_HOST": host}))


PLAIN = ("http://record.example.org/fhir", "http://10.0.0.7:8000/fhir", "http://[fd00::1]/fhir")
SECRET = {"EHR_SECRET": "0123456789abcdef"}


@pytest.mark.parametrize("base", PLAIN)
def test_an_address_without_tls_is_refused_unless_it_is_wanted(base: str) -> None:
    with pytest.raises(SettingsError, match="EHR_PLAIN_HTTP=on"):
        check_public(load({"EHR_BASE_URL": base}))

    wanted = load({"EHR_BASE_URL": base, "EHR_PLAIN_HTTP": "on"})
    check_public(wanted)
    assert f"no_tls base={base}" in str(warning(wanted))


def test_an_address_without_tls_that_comes_of_the_host_is_refused() -> None:
    with pytest.raises(SettingsError, match="TLS"):
        check_public(load({"EHR_HOST": "192.168.1.5", **SECRET}))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"EHR_BASE_URL": "http://localhost:8000/fhir"},
        {"EHR_BASE_URL": "http://127.0.0.1:8000/fhir"},
        {"EHR_BASE_URL": "http://[::1]:8000/fhir"},
        {"EHR_BASE_URL": "https://record.example.org/fhir"},
        {"EHR_BASE_URL": "https://record.example.org/fhir", "EHR_HOST": "0.0.0.0", **SECRET},
    ],
)
def test_this_machine_and_tls_in_front_go_without_a_word(environment: dict[str, str]) -> None:
    check_public(load(environment))
    assert warning(load(environment)) is None


def test_listening_everywhere_without_a_base_is_said() -> None:
    settings = load({"EHR_HOST": "0.0.0.0", **SECRET})

    check_public(settings)
    assert "set EHR_BASE_URL" in str(warning(settings))


def test_secrets_and_passwords_are_not_shown() -> None:
    shown = {each.variable: each for each in SETTINGS}

    assert shown["EHR_SECRET"].shown("0123456789abcdef") == "(set)"
    assert shown["EHR_DATABASE_URL"].shown("postgresql://u:pw@h/d") == "postgresql://u:***@h/d"
    assert shown["EHR_BODY_LIMIT"].shown("64 MiB") == "64 MiB"
