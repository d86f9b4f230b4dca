# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a log line may hold, and what it may not."""

import json
import subprocess
import sys
from functools import cache

PROGRAM = """
import logging
import structlog
from central.logging import configure_logging

foreign = logging.getLogger("uvicorn.error")
foreign.addHandler(logging.StreamHandler())
foreign.setLevel(logging.INFO)
foreign.propagate = False
configure_logging("info")
log = structlog.get_logger()


def look_up(secret):
    try:
        raise KeyError("plate 20A12345")
    except KeyError as error:
        raise ValueError("nobody has 20A12345") from error


log.info("line_feed_in_a_value", name="a\\nlevel=error\\r\\x1b[2J\\u0085b")
try:
    look_up("s3cret")
except ValueError:
    log.exception("look_up_failed")
    foreign.error("Exception in ASGI application\\n", exc_info=True)
foreign.info("Uvicorn running")
"""


def test_an_error_is_told_by_kind_and_place_and_never_with_its_values() -> None:
    told = _told()

    lines = [json.loads(line) for line in told.splitlines()]
    _, own, foreign = lines
    assert (own["event"], foreign["logger"]) == ("look_up_failed", "uvicorn.error")
    for line in (own, foreign):
        assert [cause["kind"] for cause in line["errors"]] == ["ValueError", "KeyError"]
        assert all(place.startswith("<string>:") for place in line["errors"][0]["where"])
    assert "20A12345" not in told
    assert "s3cret" not in told


def test_a_value_with_line_ends_and_control_signs_stays_one_line() -> None:
    first = _told().split("\n")[0]

    assert json.loads(first)["name"] == "a\nlevel=error\r\x1b[2J\x85b"
    assert "\r" not in first
    assert "\x1b" not in first


def test_times_are_told_in_utc() -> None:
    times = [json.loads(line)["timestamp"] for line in _told().splitlines()]

    assert all(each.endswith("Z") for each in times)
    assert times == sorted(times)


@cache
def _told() -> str:
    """What a process of its own writes to standard error: logging is set up once per process."""
    done = subprocess.run(
        (sys.executable, "-c", PROGRAM), capture_output=True, check=True, timeout=60
    )
    return done.stderr.decode("utf-8")
