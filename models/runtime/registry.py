# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which model file is meant by a name, and proof that it is that file.

``models/registry.toml`` names every released model with its version, digest,
licence and figures. Nothing is run before its bytes have the digest that is
written there: a truncated copy or a file of another release is told apart
here, in words, and not by odd boxes later.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.errors import (
    ModelDigestError,
    ModelFormatError,
    ModelMissingError,
    ModelRegistryError,
)

MODELS_FOLDER: Final = Path(__file__).resolve().parents[1]
REGISTRY_FILE: Final = "registry.toml"
WEIGHTS_FOLDER: Final = "weights"
MAX_REGISTRY_BYTES: Final = 256 * 1024
MAX_MODEL_BYTES: Final = 15 * 1024 * 1024
_READ_CHUNK_BYTES: Final = 1024 * 1024
_SHA256_CHARS: Final = 64

VEHICLE_DETECTOR: Final = "vehicle-detector"
PLATE_DETECTOR: Final = "plate-detector"
PLATE_CORNERS: Final = "plate-corners"
PLATE_READER: Final = "plate-reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A released model whose bytes were checked.

    Attributes:
        name: Name in the registry, as ``plate-detector``.
        version: Version of the weights, not of the program.
        path: The checked file.
        sha256: Digest of the file, 64 hexadecimal characters.
        licence: SPDX expression under which the weights are given.
        config: Everything that belongs to the weights: input size, classes,
            thresholds. Each runtime class takes its own keys from it.
    """

    name: str
    version: str
    path: Path
    sha256: str
    licence: str
    config: "ModelConfig"


class ModelConfig:
    """Typed access to a model's settings; an absent or odd one names itself."""

    __slots__ = ("_name", "_values")

    def __init__(self, *, name: str, values: Mapping[str, object]) -> None:
        self._name = name
        self._values: Mapping[str, object] = MappingProxyType(dict(values))

    def text(self, key: str) -> str:
        """A text; raises ``ModelFormatError`` when absent or not a text."""
        value = self._values.get(key)
        if not isinstance(value, str):
            raise self._error(key, "a text")
        return value

    def whole_number(self, key: str) -> int:
        """An integer; raises ``ModelFormatError`` when absent or no integer."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._error(key, "a whole number")
        return value

    def number(self, key: str) -> float:
        """A number; raises ``ModelFormatError`` when absent or no number."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(key, "a number")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; raises ``ModelFormatError`` when absent or mixed."""
        value = self._values.get(key)
        if not isinstance(value, list):
            raise self._error(key, "a list of texts")
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) != len(value):
            raise self._error(key, "a list of texts")
        return texts

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers; raises ``ModelFormatError`` when absent or mixed."""
        value = self._values.get(key)
        if not isinstance(value, list):
            raise self._error(key, "a list of numbers")
        numbers = tuple(
            float(item)
            for item in value
            if isinstance(item, int | float) and not isinstance(item, bool)
        )
        if len(numbers) != len(value):
            raise self._error(key, "a list of numbers")
        return numbers

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def _error(self, key: str, kind: str) -> ModelFormatError:
        return ModelFormatError(f"model {self._name}: its registry entry needs {key} as {kind}")


def model_names(*, folder: Path | None = None) -> tuple[str, ...]:
    """Names of all released models, in the registry's order.

    Raises:
        ModelRegistryError: The registry can not be read.
    """
    return tuple(_read_entries(folder or MODELS_FOLDER))


def load_model(name: str, *, folder: Path | None = None) -> ModelFile:
    """Find a model by name and check its bytes.

    Args:
        name: Name in the registry, as ``plate-detector``.
        folder: Folder that holds ``registry.toml`` and ``weights``; ``None``
            is the folder of the installed package.

    Raises:
        ModelRegistryError: The registry is unreadable or has no such entry.
        ModelMissingError: The file is not there.
        ModelDigestError: The file is another one, or only a part of it.
    """
    folder = folder or MODELS_FOLDER
    entries = _read_entries(folder)
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise ModelRegistryError(f"no model is called {name!r}; the registry knows: {known}")
    entry = entries[name]
    path = folder / WEIGHTS_FOLDER / _entry_text(name, entry, "file")
    sha256 = _entry_text(name, entry, "sha256")
    if len(sha256) != _SHA256_CHARS:
        raise ModelRegistryError(f"model {name}: sha256 has {len(sha256)} characters, not 64")
    _check_bytes(name=name, path=path, sha256=sha256, size_bytes=_entry_size(name, entry))
    settings = entry.get("config", {})
    if not isinstance(settings, dict):
        raise ModelRegistryError(f"model {name}: config is not a table")
    return ModelFile(
        name=name,
        version=_entry_text(name, entry, "version"),
        path=path,
        sha256=sha256,
        licence=_entry_text(name, entry, "licence"),
        config=ModelConfig(name=name, values=settings),
    )


def file_sha256(path: Path) -> str:
    """Digest of a file's bytes, 64 hexadecimal characters in lower case."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _check_bytes(*, name: str, path: Path, sha256: str, size_bytes: int) -> None:
    if not path.is_file():
        raise ModelMissingError(name=name, path=path)
    actual_bytes = path.stat().st_size
    actual = file_sha256(path)
    if actual == sha256:
        return
    if actual_bytes == size_bytes:
        reason = "is of another version or was changed"
    elif actual_bytes < size_bytes:
        reason = f"is cut short or of another version: {actual_bytes} of {size_bytes} bytes"
    else:
        reason = f"is of another version: {actual_bytes} bytes instead of {size_bytes}"
    raise ModelDigestError(name=name, path=path, expected=sha256, actual=actual, reason=reason)


def _read_entries(folder: Path) -> dict[str, dict[str, object]]:
    path = folder / REGISTRY_FILE
    try:
        if path.stat().st_size > MAX_REGISTRY_BYTES:
            raise ModelRegistryError(f"{REGISTRY_FILE} is larger than {MAX_REGISTRY_BYTES} bytes")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelRegistryError(f"{REGISTRY_FILE} is missing from {folder.name}/") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelRegistryError(f"{REGISTRY_FILE} can not be read: {error}") from error
    models = document.get("models")
    if not isinstance(models, dict):
        raise ModelRegistryError(f"{REGISTRY_FILE} has no table [models]")
    for name, entry in models.items():
        if not isinstance(entry, dict):
            raise ModelRegistryError(f"{REGISTRY_FILE}: models.{name} is not a table")
    return models


def _entry_text(name: str, entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ModelRegistryError(f"model {name}: the registry lacks {key}")
    return value


def _entry_size(name: str, entry: Mapping[str, object]) -> int:
    value = entry.get("size_bytes")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_MODEL_BYTES:
        raise ModelRegistryError(f"model {name}: size_bytes must lie in 1 to {MAX_MODEL_BYTES}")
    return value
