"""Log lines: their form, and that a lasting trouble is told once."""

import logging

import pytest

from ehr.logs import Lines, Trouble


def test_a_line_has_time_level_process_logger_and_text() -> None:
    record = logging.LogRecord("ehr.rest", logging.WARNING, "", 1, "not_ready", None, None)
    record.created, record.msecs, record.process = 1_700_000_000.0, 0.0, 42

    assert Lines().format(record) == "2023-11-14T22:13:20.000Z WARNING 42 ehr.rest: not_ready"


def test_a_trouble_is_told_once_with_its_reason_until_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble(logging.getLogger("ehr"), "stamping")
    refused = RuntimeError("busy")
    refused.__cause__ = OSError("connection refused\nIs the server running?")

    with caplog.at_level(logging.INFO, logger="ehr"):
        trouble.over()
        for _ in range(3):
            trouble.met(refused)
        trouble.over()
        trouble.over()
        trouble.met(ValueError())

    assert caplog.messages == [
        "stamping fails and is tried again: OSError: connection refused",
        "stamping works again",
        "stamping fails and is tried again: ValueError",
    ]


def test_the_level_is_that_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from ehr import logs

    log = logging.getLogger("ehr")
    monkeypatch.setattr(log, "level", log.level)

    logs.begin("debug")

    assert log.isEnabledFor(logging.DEBUG)
