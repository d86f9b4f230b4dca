# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``/v1`` takes in; the plate to search for stands in a body and never in a URL."""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, SecretStr

from api.deps.acting import LookFields
from api.deps.cursors import CURSOR_LENGTH, parse_cursor
from api.v1.schemas import StrictBody
from central.contracts.identifiers import Slug
from central.contracts.passage import Direction, VehicleClass
from central.domain.plates import PlatePattern
from central.passages.alike import AlikeQuestion
from central.passages.types import (
    FILTER_VALUES_MAX,
    PAGE_SIZE_MAX,
    CameraKey,
    PageRequest,
    PassageFilter,
)

PAGE_SIZE_DEFAULT = 50
PLATE_PATTERN_LENGTH_MAX = 32


class LoginBody(StrictBody):
    """Name and password of a user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "operator", "password": "…"}]}
    )

    username: Annotated[str, Field(min_length=1, max_length=40)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class CodeBody(StrictBody):
    """A code of the second factor."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "123456"}]})

    code: Annotated[
        SecretStr,
        Field(min_length=1, max_length=100, description="Of an app, or a recovery code."),
    ]


class CameraBody(StrictBody):
    """A camera; its id is unique within its site."""

    site_id: Slug
    camera_id: Slug


class AlikePlatesBody(LookFields):
    """Which plate is sought, as far as it is known, when, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plate": "30F-25?.*",
                    "captured_from": "2026-09-01T00:00:00+07:00",
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
            max_length=PLATE_PATTERN_LENGTH_MAX,
            description="Names at least three characters. `?` is one more, `*` any number.",
        ),
    ]
    captured_from: Annotated[AwareDatetime, Field(description="Included.")]
    captured_until: Annotated[
        AwareDatetime, Field(description="Excluded; at most 366 days after the beginning.")
    ]
    site_ids: Annotated[tuple[Slug, ...], Field(max_length=FILTER_VALUES_MAX)] = ()

    def question(self) -> AlikeQuestion:
        """The question for the service.

        Raises:
            InvalidFilterError: The search makes no sense.
        """
        return AlikeQuestion(
            pattern=PlatePattern.parse(self.plate),
            since=self.captured_from,
            until=self.captured_until,
            site_ids=self.site_ids,
        )


class PassageSearchBody(StrictBody):
    """What to search for; everything is optional and restricts further.

    The plate stands in the body, so that it never stands in a URL.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "captured_from": "2026-11-22T00:00:00+07:00",
                    "site_ids": ["cau-gia-bay"],
                    "vehicle_classes": ["car", "truck"],
                    "plate": "30F-25?.*",
                    "page_size": 50,
                }
            ]
        }
    )

    captured_from: AwareDatetime | None = Field(default=None, description="Included.")
    captured_until: AwareDatetime | None = Field(default=None, description="Excluded.")
    site_ids: Annotated[tuple[Slug, ...], Field(max_length=FILTER_VALUES_MAX)] = ()
    cameras: Annotated[tuple[CameraBody, ...], Field(max_length=FILTER_VALUES_MAX)] = ()
    directions: Annotated[tuple[Direction, ...], Field(max_length=len(Direction))] = ()
    vehicle_classes: Annotated[tuple[VehicleClass, ...], Field(max_length=len(VehicleClass))] = ()
    plate: Annotated[str, Field(min_length=1, max_length=PLATE_PATTERN_LENGTH_MAX)] | None = Field(
        default=None,
        description="Any case, with or without separators. `?` is one character, `*` any number.",
    )
    only_unread: bool = Field(default=False, description="Only passages without a readable plate.")
    page_size: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT
    cursor: Annotated[str, Field(min_length=CURSOR_LENGTH, max_length=CURSOR_LENGTH)] | None = (
        Field(default=None, description="`next_cursor` of the page before.")
    )

    def as_filter(self) -> PassageFilter:
        """The filter for the service.

        Raises:
            InvalidFilterError: The search makes no sense.
        """
        return PassageFilter(
            captured_from=self.captured_from,
            captured_until=self.captured_until,
            site_ids=self.site_ids,
            cameras=tuple(
                CameraKey(site_id=camera.site_id, camera_id=camera.camera_id)
                for camera in self.cameras
            ),
            directions=self.directions,
            vehicle_classes=self.vehicle_classes,
            plate=PlatePattern.parse(self.plate) if self.plate is not None else None,
            only_unread=self.only_unread,
        )

    def as_page(self) -> PageRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The cursor was not made here.
        """
        after = parse_cursor(self.cursor) if self.cursor is not None else None
        return PageRequest(size=self.page_size, after=after)
