# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging of the process: JSON lines for machines, short lines beside a progress bar."""

import logging
import sys
from enum import StrEnum

import structlog


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    """Everything from ``info`` up, one JSON object a line."""
    CONSOLE = "console"
    """Warnings and worse, for a person."""


def configure_logging(log_format: LogFormat) -> None:
    """Set up logging to standard error, once, at the start of the process."""
    is_json = log_format is LogFormat.JSON
    # What the tag readers' library has to say is said by our own errors, without its tracebacks.
    logging.getLogger("sllurp").setLevel(logging.CRITICAL + 1)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if is_json else logging.WARNING
        ),
        # Standard error as it is when a line is written: it may be replaced meanwhile.
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
