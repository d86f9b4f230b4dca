# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of a province that hands its figures up to a national centre."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from central.contracts.identifiers import SLUG_PATTERN


class NationalSettings(BaseModel):
    """Where a province's figures go; without an address nothing is handed up.

    The address, the key and the province belong together: all three or none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        default=None,
        pattern=r"^https://[^\s/?#@]+$",
        description="Address of the national centre without a path; https only.",
    )
    key_file: Path | None = Field(
        default=None,
        description="File whose first line is this province's key at the national centre.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates for the national centre (PEM); without it the system's.",
    )
    province: str | None = Field(
        default=None,
        pattern=SLUG_PATTERN,
        description="Code of this province, as the national centre knows it.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Stop when only some of what belongs together is set."""
        together = (self.url, self.key_file, self.province)
        if any(together) and None in together:
            raise ValueError("url, key_file and province are needed together")
        return self
