# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questions for vehicles that were seen together with one, as programs ask them."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AwareDatetime, ConfigDict, Field

from api.deps.acting import LookFields
from api.v1.schemas import StrictBody
from central.domain.plates import PATTERN_LENGTH_MAX, PlatePattern
from central.errors import InvalidFilterError
from central.passages.convoys import ConvoyQuestion
from central.passages.rows import CompanionRow


class ConvoyBody(LookFields):
    """Whose company is sought, when, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plate": "30F-256.58",
                    "captured_from": "2026-11-01T00:00:00+07:00",
                    "captured_until": "2026-12-01T00:00:00+07:00",
                    "purpose": "violation_case",
                }
            ]
        }
    )

    plate: Annotated[
        str,
        Field(
            min_length=1,
            max_length=PATTERN_LENGTH_MAX,
            description="A whole plate; any case, with or without separators.",
        ),
    ]
    captured_from: Annotated[AwareDatetime, Field(description="Included.")]
    captured_until: Annotated[
        AwareDatetime, Field(description="Excluded; at most 92 days after the beginning.")
    ]

    def question(self) -> ConvoyQuestion:
        """The question for the service.

        Raises:
            InvalidFilterError: The search makes no sense.
        """
        pattern = PlatePattern.parse(self.plate)
        if not pattern.is_exact:
            raise InvalidFilterError("company is sought of a whole plate")
        return ConvoyQuestion(
            plate_text=pattern.text, since=self.captured_from, until=self.captured_until
        )


class CompanionBody(StrictBody):
    """A vehicle that was seen together with the one asked for."""

    plate_text: str
    sites: Annotated[int, Field(description="Different sites at which they met.")]
    meetings: Annotated[int, Field(description="Passages of the other near which it passed.")]
    days: Annotated[int, Field(description="Different days of these, in Vietnam.")]
    first_at: AwareDatetime
    last_at: AwareDatetime


class CompanionsFoundBody(StrictBody):
    """Vehicles seen together with one, those met at most sites first."""

    companions: tuple[CompanionBody, ...]

    @classmethod
    def of(cls, found: Sequence[CompanionRow]) -> Self:
        """Describe what was found."""
        return cls(
            companions=tuple(
                CompanionBody(
                    plate_text=each.plate_text,
                    sites=each.sites,
                    meetings=each.meetings,
                    days=each.days,
                    first_at=each.first_at,
                    last_at=each.last_at,
                )
                for each in found
            )
        )
