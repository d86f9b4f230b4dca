# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs the real edge program on a source, as a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.demo.choices import View
from deploy.demo.device import DemoDevice
from deploy.errors import LocalStackError
from edge.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED

ACKNOWLEDGE_WAIT_S: Final = 60
STOP_LIMIT_S: Final = 15.0
POLL_S: Final = 0.5
LAST_LINES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOrder:
    """What is played and how.

    Attributes:
        source: Video file, folder of pictures or address of a camera.
        view: How it is looked at.
        log_file: Where the edge program's words go.
    """

    source: str
    view: View
    log_file: Path


def play(device: DemoDevice, order: PlayOrder, *, on_poll: Callable[[float], None]) -> int:
    """Play a source in real time through the edge program and wait until it has ended.

    Ctrl-C ends the playing early and tidily.

    Args:
        device: The device that the program is.
        order: What to play.
        on_poll: Called about twice a second with the seconds since the start.

    Returns:
        The program's exit code.

    Raises:
        DemoSourceError: The program can't use the source; its own sentence is passed on.
    """
    started_s = time.monotonic()
    with order.log_file.open("wb") as log:
        process = subprocess.Popen(
            _command(device, order),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _wait(process, started_s, on_poll)
        except KeyboardInterrupt:
            code = _stopped(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code == EXIT_BAD_INPUT:
        raise DemoSourceError(last_words(order.log_file).removeprefix("luuthong-edge: "))
    return code


class DemoSourceError(LocalStackError):
    """The edge program can't use what it was given; the message is its own."""


def last_words(log_file: Path) -> str:
    """The last lines of a log."""
    lines = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " ".join(line.strip() for line in lines[-LAST_LINES:]) or "it said nothing"


def _command(device: DemoDevice, order: PlayOrder) -> list[str]:
    return [
        str(Path(sys.executable).with_name("luuthong-edge")),
        *("replay", order.source),
        *("--config", str(device.site_file)),
        *("--camera", device.role.camera_id),
        *(("--readers",) if device.role.reader_id is not None else ()),
        *("--mode", order.view.value),
        *("--start", "now"),
        *("--pace", "recorded"),
        *("--wait", str(ACKNOWLEDGE_WAIT_S)),
    ]


def _wait(
    process: subprocess.Popen[bytes], started_s: float, on_poll: Callable[[float], None]
) -> int:
    while True:
        try:
            return process.wait(timeout=POLL_S)
        except subprocess.TimeoutExpired:
            on_poll(time.monotonic() - started_s)


def _stopped(process: subprocess.Popen[bytes]) -> int:
    """End the program as Ctrl-C does, which it may have got from the terminal already."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return EXIT_INTERRUPTED
