# SPDX-License-Identifier: AGPL-3.0-or-later
"""Identifiers in messages, so that a topic, a message and a row cannot disagree on them."""

from typing import Annotated, Final

from pydantic import StringConstraints

SLUG_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""Lower-case words joined by hyphens, 1 to 40 characters; never ``/``, ``+`` or ``#`` (MQTT)."""

SHA256_PATTERN: Final = r"^[0-9a-f]{64}$"

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
"""Name of a province, site, device or camera as it stands in topics and settings."""

Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
"""Hex SHA-256 digest, lower case."""
