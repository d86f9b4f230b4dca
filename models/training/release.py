# SPDX-License-Identifier: AGPL-3.0-or-later
"""Entering an exported file in the registry: digest, size and version change together.

The model's card names the same version and digest; both lines are kept in step.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.errors import ModelRegistryError
from models.runtime.registry import (
    MODELS_FOLDER,
    REGISTRY_FILE,
    WEIGHTS_FOLDER,
    file_sha256,
)

CARDS_FOLDER: Final = "cards"
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


_FIRST_VERSION: Final = "0.0.1"
_NEW_ENTRY: Final = """
[models.{name}]
version = "0.0.0"
file = "{name}.onnx"
sha256 = ""
size_bytes = 0
licence = "AGPL-3.0-or-later"

[models.{name}.config]
"""


def enter_config(name: str, values: Mapping[str, str], *, folder: Path = MODELS_FOLDER) -> None:
    """Write lines of a model's config; make the entry and the lines that are not there.

    Args:
        name: Registry name.
        values: Keys with their values as TOML writes them.
        folder: Folder with the registry.
    """
    registry = folder / REGISTRY_FILE
    text = registry.read_text(encoding="utf-8")
    header = f"[models.{name}.config]\n"
    if header not in text:
        text = text.rstrip("\n") + "\n" + _NEW_ENTRY.format(name=name)
    before, rest = text.split(header)
    end = rest.find("\n[")
    entry, after = (rest, "") if end < 0 else (rest[: end + 1], rest[end + 1 :])
    for key, value in values.items():
        line = f"{key} = {value}"
        entry, count = re.subn(rf"^{key} = .*$", line, entry, flags=re.MULTILINE)
        if count == 0:
            kept = entry.rstrip("\n")
            entry = (f"{kept}\n" if kept else "") + f"{line}\n" + ("\n" if after else "")
    registry.write_text(f"{before}{header}{entry}{after}", encoding="utf-8")


def entered_version(name: str, *, folder: Path = MODELS_FOLDER) -> str:
    """Version that the registry has of a model, ``0.0.1`` where it has none."""
    registry = tomllib.loads((folder / REGISTRY_FILE).read_text(encoding="utf-8"))
    entry = registry.get("models", {}).get(name, {})
    return str(entry.get("version", _FIRST_VERSION))


def enter_release(name: str, *, version: str, folder: Path = MODELS_FOLDER) -> str:
    """Write digest, size and version of a model's file into the registry and its card.

    Everything else in both, comments too, stays as it is.

    Args:
        name: Name of an entry that exists.
        version: New version, as ``1.2.3``.
        folder: Folder with the registry and the weights.

    Returns:
        The file's digest.

    Raises:
        ModelRegistryError: No such entry, or the version is none.
    """
    if not _VERSION.fullmatch(version):
        raise ModelRegistryError(f"a version looks like 1.2.3, got {version!r}")
    registry = folder / REGISTRY_FILE
    text = registry.read_text(encoding="utf-8")
    header = f"[models.{name}]\n"
    if text.count(header) != 1:
        raise ModelRegistryError(f"the registry has no single entry {name}")
    before, rest = text.split(header)
    end = rest.find("\n[")
    entry, after = (rest, "") if end < 0 else (rest[:end], rest[end:])
    match = re.search(r'^file = "(.+)"$', entry, flags=re.MULTILINE)
    if match is None:
        raise ModelRegistryError(f"model {name}: the registry lacks file")
    path = folder / WEIGHTS_FOLDER / match[1]
    digest = file_sha256(path)
    for key, value in (
        ("version", f'"{version}"'),
        ("sha256", f'"{digest}"'),
        ("size_bytes", str(path.stat().st_size)),
    ):
        entry, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", entry, flags=re.MULTILINE)
        if count != 1:
            raise ModelRegistryError(f"model {name}: the registry needs one line {key}")
    registry.write_text(f"{before}{header}{entry}{after}", encoding="utf-8")
    _enter_in_card(folder / CARDS_FOLDER / f"{name}.md", version=version, digest=digest)
    return digest


def _enter_in_card(card: Path, *, version: str, digest: str) -> None:
    if not card.is_file():
        return
    text = card.read_text(encoding="utf-8")
    for key, value in (("version", version), ("sha256", digest)):
        text, count = re.subn(rf"^- {key}: .*$", f"- {key}: {value}", text, flags=re.MULTILINE)
        if count != 1:
            raise ModelRegistryError(f"card {card.name} needs one line '- {key}: …'")
    card.write_text(text, encoding="utf-8")
