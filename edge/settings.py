# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an edge device is told: one TOML file per device, read once, never changed while running.

Every field may be overridden from the environment (``LUUTHONG_EDGE_BROKER__HOST=…``), secrets
are files. Relative paths are meant from the folder of the site file.
"""

import tomllib
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from central.contracts.event import ClockSource
from central.contracts.heartbeat import MAX_CAMERAS, MAX_READERS
from central.contracts.identifiers import Slug
from edge.errors import SettingsError
from edge.uplink_settings import ApiSettings, BrokerSettings, OutboxSettings, Port, Section
from models.runtime.values import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SETTINGS_BYTES: Final = 1_000_000
MAX_ANTENNAS: Final = 32
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Lane = Annotated[int, Field(ge=1, le=64)]
SectionT = TypeVar("SectionT", bound=BaseModel)


class CameraMode(StrEnum):
    """What a camera looks at."""

    GATE = "gate"
    """A toll lane or barrier: plates are looked for in the whole picture."""
    ROAD = "road"
    """A road: vehicles are followed, plates are looked for on each vehicle."""


class RegionSettings(Section):
    """Part of the picture that is looked at, in shares of its width and height."""

    x_min: Share = Field(default=0.0, description="left border")
    y_min: Share = Field(default=0.0, description="upper border")
    x_max: Share = Field(default=1.0, description="right border")
    y_max: Share = Field(default=1.0, description="lower border")

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        if self.x_max <= self.x_min or self.y_max <= self.y_min:
            raise ValueError("a region needs x_max > x_min and y_max > y_min")
        return self


class CameraSettings(Section):
    """One camera of the device."""

    id: Slug = Field(description="name of the camera, unique at the centre")
    mode: CameraMode = Field(description="`gate` or `road`")
    source: str = Field(
        min_length=1, max_length=1024, description="RTSP or HTTP address, video file or folder"
    )
    lane: Lane | None = Field(default=None, description="lane that every passage gets")
    every: int = Field(
        default=1,
        ge=1,
        le=100,
        description="analyse every n-th frame; higher saves work and may miss fast vehicles",
    )
    max_fps: float = Field(
        default=12.0,
        gt=0,
        le=60,
        description="most frames analysed per second of a live camera",
    )
    region: RegionSettings = Field(
        default=RegionSettings(), description="part of the picture that is looked at"
    )


class AntennaSettings(Section):
    """One antenna of a tag reader."""

    number: Lane = Field(description="number on the reader, from 1")
    lane: Lane | None = Field(
        default=None, description="lane over which it hangs; antennas of one lane count as one"
    )


class ReaderSettings(Section):
    """One reader of toll tags, asked by LLRP."""

    id: Slug = Field(description="name of the reader, unique at its site")
    host: str = Field(min_length=1, max_length=253, description="name or address of the reader")
    port: Port = Field(default=5084, description="TCP port")
    antennas: tuple[AntennaSettings, ...] = Field(
        min_length=1, max_length=MAX_ANTENNAS, description="antennas that read"
    )
    rssi_min_dbm: float | None = Field(
        default=None,
        ge=-200,
        le=50,
        allow_inf_nan=False,
        description="weaker answers are left out; higher keeps neighbouring lanes out",
    )
    gap: timedelta = Field(
        default=timedelta(seconds=2),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="a tag that is silent for so long has passed",
    )
    told_after: timedelta = Field(
        default=timedelta(seconds=1),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="a tag that answers for so long is told while it still stands there",
    )
    keepalive: timedelta = Field(
        default=timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="how often the reader says that it lives; lost after three misses",
    )
    open_max: int = Field(
        default=256, ge=1, le=10_000, description="most tags that may be passing at a time"
    )

    @field_validator("antennas")
    @classmethod
    def _have_numbers_of_their_own(
        cls, antennas: tuple[AntennaSettings, ...]
    ) -> tuple[AntennaSettings, ...]:
        numbers = [antenna.number for antenna in antennas]
        if len(set(numbers)) != len(numbers):
            raise ValueError("two antennas have the same number")
        return antennas


class ModelSettings(Section):
    """How pictures are looked at."""

    backend: Backend = Field(default=Backend.AUTO, description="inference library")
    folder: Path | None = Field(default=None, description="other weights than the released ones")
    workers: int = Field(
        default=2, ge=1, le=16, description="analysing threads; cameras are shared out among them"
    )


class DeviceSettings(Section):
    """Which device this is."""

    id: Slug = Field(description="name of the device, its user name at the broker")
    site_id: Slug = Field(description="site that it stands at")
    province: Slug = Field(description="province, first level of its topics")
    secret_file: Path = Field(description="file with the device's secret, from the centre")
    clock_source: ClockSource = Field(
        default=ClockSource.SYSTEM, description="what keeps the device's clock right"
    )
    clock_error_ms: int = Field(
        default=1_000, ge=0, le=86_400_000, description="largest error of the clock, in ms"
    )
    heartbeat_interval: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=10),
        description="time between two heartbeats",
    )
    traffic_minutes: bool = Field(default=False, description="tell every camera's minutes")


class EdgeSettings(BaseSettings):
    """Everything that an edge device can be told; read once, in ``main``."""

    model_config = SettingsConfigDict(
        env_prefix="LUUTHONG_EDGE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    device: DeviceSettings = Field(description="which device this is")
    broker: BrokerSettings = Field(description="where events go")
    api: ApiSettings | None = Field(
        default=None, description="where evidence goes; without it pictures wait in the outbox"
    )
    outbox: OutboxSettings = Field(default=OutboxSettings(), description="where events wait")
    models: ModelSettings = Field(default=ModelSettings(), description="how pictures are read")
    cameras: tuple[CameraSettings, ...] = Field(
        default=(), max_length=MAX_CAMERAS, description="cameras of this device"
    )

    readers: tuple[ReaderSettings, ...] = Field(
        default=(), max_length=MAX_READERS, description="tag readers of this device"
    )

    @field_validator("readers")
    @classmethod
    def _are_different_readers(
        cls, readers: tuple[ReaderSettings, ...]
    ) -> tuple[ReaderSettings, ...]:
        names = [reader.id for reader in readers]
        if len(set(names)) != len(names):
            raise ValueError("two readers have the same id")
        return readers

    @field_validator("cameras")
    @classmethod
    def _have_names_of_their_own(
        cls, cameras: tuple[CameraSettings, ...]
    ) -> tuple[CameraSettings, ...]:
        names = [camera.id for camera in cameras]
        if len(set(names)) != len(names):
            raise ValueError("two cameras have the same id")
        return cameras

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file."""
        return env_settings, init_settings


def load_settings(path: Path) -> EdgeSettings:
    """Read a site file.

    Args:
        path: TOML file; relative paths in it are meant from its folder.

    Raises:
        SettingsError: The file is missing, no TOML, or something in it is wrong; every problem
            is named.
    """
    content = _read_toml(path)
    try:
        settings = EdgeSettings(**content)
    except ValidationError as error:
        raise SettingsError(source=path.name, problems=_problems(error)) from error
    return _with_absolute_paths(settings, path.resolve().parent)


def read_secret(path: Path) -> str:
    """The device's secret, without the line's end.

    Raises:
        SettingsError: The file is missing, unreadable, empty or no text.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(
            source=path.name, problems=(f"the device's secret can't be read: {reason}",)
        ) from error
    if not secret:
        raise SettingsError(source=path.name, problems=("the device's secret is empty",))
    return secret


def _read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file; ``Any`` because nothing is checked yet."""
    try:
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            raise SettingsError(source=path.name, problems=("the file is too big for settings",))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(source=str(path), problems=(reason,)) from error
    except UnicodeDecodeError as error:
        raise SettingsError(source=path.name, problems=("it is no UTF-8 text",)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(source=path.name, problems=(f"it is no TOML: {error}",)) from error


def _problems(error: ValidationError) -> tuple[str, ...]:
    """One plain line per problem; values are not repeated, they may be secret."""
    return tuple(
        f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _with_absolute_paths(settings: EdgeSettings, folder: Path) -> EdgeSettings:
    """The same settings with relative paths made absolute."""
    device = _moved(settings.device, folder, "secret_file")
    changes: Mapping[str, BaseModel | tuple[BaseModel, ...] | None] = {
        "device": device,
        "broker": _moved(
            _moved(_moved(settings.broker, folder, "ca_file"), folder, "certificate_file"),
            folder,
            "key_file",
        ),
        "api": None if settings.api is None else _moved(settings.api, folder, "ca_file"),
        "outbox": _moved(settings.outbox, folder, "path"),
        "models": _moved(settings.models, folder, "folder"),
        "cameras": tuple(_with_absolute_source(camera, folder) for camera in settings.cameras),
    }
    return settings.model_copy(update=dict(changes))


def _moved(section: SectionT, folder: Path, field: str) -> SectionT:
    value: Path | None = getattr(section, field)
    return section if value is None else section.model_copy(update={field: folder / value})


def _with_absolute_source(camera: CameraSettings, folder: Path) -> CameraSettings:
    if "://" in camera.source:
        return camera
    return camera.model_copy(update={"source": str(folder / camera.source)})
