# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one place of this package where the time of day is read; everything else receives it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Aware time of day in UTC."""
    return datetime.now(UTC)
