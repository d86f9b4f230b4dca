# SPDX-License-Identifier: AGPL-3.0-or-later
"""Log lines of the central processes: one JSON object per line on standard error.

Errors are told by their kind and place only: their texts and the values around them may hold a
plate, a name or a secret.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Final

import structlog

FRAMES_LOGGED_MAX: Final = 8
CAUSES_LOGGED_MAX: Final = 4
TOLD_BY_US: Final = ("pika",)
"""Libraries whose failures our adapters log; this one tells a failed connection in ten lines."""


def configure_logging(level: str) -> None:
    """Send every log line, our own and the libraries', to standard error as JSON.

    Args:
        level: Least important level that is written: debug, info, warning or error.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            _tell_errors_without_values,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    at_least = max(threshold, logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(at_least)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _tell_errors_without_values,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=at_least, handlers=[handler], force=True)
    _take_over_libraries()
    for name in TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def where(error: BaseException) -> list[str]:
    """Where an error came from, innermost place last; its text and values are left out."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED_MAX:]
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]


def _take_over_libraries() -> None:
    """Libraries that brought a handler of their own, as uvicorn does, write like everybody else."""
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger) and logger.handlers:
            logger.handlers.clear()
            logger.propagate = True


def _tell_errors_without_values(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Put kind and place of an error and of its causes where its traceback would stand."""
    error = _error_of(event.pop("exc_info", None))
    causes: list[dict[str, object]] = []
    while error is not None and len(causes) < CAUSES_LOGGED_MAX:
        causes.append({"kind": type(error).__name__, "where": where(error)})
        error = error.__cause__ or error.__context__
    if causes:
        event["errors"] = causes
    return event


def _error_of(told: object) -> BaseException | None:
    """The error behind what a log call was given: itself, a triple about it, or ``True``."""
    if told is True:
        told = sys.exc_info()
    if isinstance(told, tuple):
        told = told[1]
    return told if isinstance(told, BaseException) else None
