# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the models package.

::

    ModelsError
    ├── ModelRegistryError      the registry is unreadable or lacks an entry
    ├── ModelMissingError       the registry names a file that is not there
    ├── ModelDigestError        the file is not the one that the registry describes
    ├── ModelFormatError        its inputs or outputs are not what its entry says
    ├── BackendUnavailableError no inference library that was asked for can be used
    ├── InvalidImageError       an array that is no picture
    ├── PictureUnreadableError  a file that is no picture, or none that can be decoded
    ├── PictureSourceError      what was given to be read holds no picture, or may not be written
    ├── DatasetError            shared data is missing, changed or malformed
    └── TrainingEnvironmentError  the training environment is missing or incomplete
"""

from pathlib import Path


class ModelsError(Exception):
    """Root of everything that the models package raises on purpose."""


class ModelRegistryError(ModelsError):
    """The registry can not be read, or an entry is absent or incomplete."""


class ModelMissingError(ModelsError):
    """The registry names a model file that is not there."""

    def __init__(self, *, name: str, path: Path) -> None:
        super().__init__(
            f"model {name}: file {path.name} is missing from its folder; "
            "restore models/weights from the repository or the package"
        )
        self.name = name
        self.path = path


class ModelDigestError(ModelsError):
    """A model file differs from the one that the registry describes."""

    def __init__(self, *, name: str, path: Path, expected: str, actual: str, reason: str) -> None:
        super().__init__(
            f"model {name}: {path.name} {reason} "
            f"(expected sha256 {expected[:12]}…, found {actual[:12]}…)"
        )
        self.name = name
        self.path = path
        self.expected = expected
        self.actual = actual
        self.reason = reason


class ModelFormatError(ModelsError):
    """A model's inputs or outputs are not what its registry entry says."""


class BackendUnavailableError(ModelsError):
    """The inference library that was asked for is absent or refuses the model."""


class InvalidImageError(ModelsError):
    """An array is no picture: wrong type, wrong shape or no pixels."""


class PictureUnreadableError(ModelsError):
    """A file can not be decoded; the reason names no file, for its name often is a plate."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PictureSourceError(ModelsError):
    """The pictures to read or the file to write are not as the caller said."""


class DatasetError(ModelsError):
    """Training or validation data is missing, changed or malformed."""


class TrainingEnvironmentError(ModelsError):
    """The training environment is missing or incomplete; the message names the command."""
