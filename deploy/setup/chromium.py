# SPDX-License-Identifier: AGPL-3.0-or-later
"""A Chromium for the browser tests: the machine's, or one in a private prefix.

Root, or a user with password-less sudo, gets Debian's package by apt. Everybody else gets the
same package unpacked into the cache folder, started by a small script that names its fonts.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.errors import SetupError
from deploy.setup.apt import machine_suite
from deploy.setup.components import SERVERS_SUITE, architecture, install_by_apt, privilege
from deploy.setup.places import cache_folder
from deploy.setup.prefix import Prefix, PrefixPlan, ensure_prefix, find_prefix, renew_prefix
from deploy.setup.progress import Reporter

CHROMIUM_SETTING: Final = "LUUTHONG_CHROMIUM"
CHROMIUM_PACKAGES: Final = ("chromium-headless-shell", "fonts-dejavu-core")

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PROGRAM: Final = "usr/lib/chromium/chromium-headless-shell"
_WRAPPER_NAME: Final = "luuthong-chromium"
_OWN_PARTS: Final = "usr/lib/*-linux-gnu*/pulseaudio"
_WHAT: Final = "Chromium"
_START_TIMEOUT_S: Final = 60.0
_WRAPPER: Final = """\
#!/bin/sh
# Starts the Chromium of this prefix with the prefix's fonts. Some libraries look for their own
# parts in absolute places; the library path leads them here.
FONTCONFIG_FILE='{fonts_conf}'
XDG_DATA_DIRS='{data}'
LD_LIBRARY_PATH='{libraries}'
export FONTCONFIG_FILE XDG_DATA_DIRS LD_LIBRARY_PATH
exec '{program}' "$@"
"""
_FONTS_CONF: Final = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chromium:
    """A browser that starts on this machine.

    Attributes:
        prefix: The private prefix it lies in, ``None`` for the machine's own.
    """

    program: Path
    version: str
    prefix: Prefix | None = None


def chromium_plan() -> PrefixPlan:
    """What the browser's private prefix holds."""
    suite = machine_suite() or SERVERS_SUITE
    return PrefixPlan(
        name=f"chromium-{architecture()}-{suite}",
        suite=suite,
        packages=CHROMIUM_PACKAGES,
        program_folders=("usr/lib/chromium",),
        library_folders=("usr/lib/chromium",),
        what=_WHAT,
    )


def find_chromium() -> Chromium | None:
    """The browser that is named by setting, on the PATH, or in the private prefix."""
    if chosen := os.environ.get(CHROMIUM_SETTING):
        return _started(Path(chosen))
    for name in _NAMES:
        if (found := shutil.which(name)) is not None and (browser := _started(Path(found))):
            return browser
    prefix = find_prefix(cache_folder(), chromium_plan())
    return None if prefix is None else _started(prefix.folder / _WRAPPER_NAME, prefix=prefix)


def ensure_chromium(reporter: Reporter, *, now: datetime) -> Chromium:
    """Find a browser or install one.

    Raises:
        SetupError: It cannot be had, or does not start here.
    """
    if (browser := find_chromium()) is not None:
        return browser
    if machine_suite() is not None and (raised := privilege()) is not None:
        install_by_apt(raised, CHROMIUM_PACKAGES, reporter, what=_WHAT)
    else:
        prefix = ensure_prefix(cache_folder(), chromium_plan(), reporter, now=now)
        _write_wrapper(prefix)
    browser = find_chromium()
    if browser is None:
        raise SetupError(
            f"the installed Chromium does not start here: {_complaint(_installed_program())}"
        )
    return browser


def renew_chromium(reporter: Reporter, *, now: datetime) -> None:
    """Replace the browser's private prefix, if there is one, by today's packages."""
    if find_prefix(cache_folder(), chromium_plan()) is not None:
        _write_wrapper(renew_prefix(cache_folder(), chromium_plan(), reporter, now=now))


def _write_wrapper(prefix: Prefix) -> None:
    """Write the starting script last, so that a prefix without it is known to be unfinished."""
    fonts_conf = prefix.folder / "luuthong-fonts.conf"
    fonts_conf.write_text(
        _FONTS_CONF.format(fonts=prefix.folder / "usr" / "share" / "fonts"), encoding="utf-8"
    )
    wrapper = prefix.folder / _WRAPPER_NAME
    text = _WRAPPER.format(
        fonts_conf=fonts_conf,
        data=prefix.folder / "usr" / "share",
        libraries=":".join(str(place) for place in sorted(prefix.folder.glob(_OWN_PARTS))),
        program=prefix.folder / _PROGRAM,
    )
    wrapper.write_text(text, encoding="utf-8")
    wrapper.chmod(0o755)


def _started(program: Path, *, prefix: Prefix | None = None) -> Chromium | None:
    """The browser if it renders an empty page, which a mere version question would not prove."""
    result = _render(program)
    if result is None or "<html" not in result.stdout:
        return None
    return Chromium(program=program, version=_version(program), prefix=prefix)


def _render(program: Path) -> subprocess.CompletedProcess[str] | None:
    return _run(
        (str(program), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank")
    )


def _version(program: Path) -> str:
    result = _run((str(program), "--version"))
    words = result.stdout.split() if result is not None else []
    return next((word for word in words if word[:1].isdigit()), "unknown version")


def _complaint(program: Path) -> str:
    result = _render(program)
    lines = [] if result is None else result.stderr.strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def _installed_program() -> Path:
    wrapper = cache_folder() / chromium_plan().name / _WRAPPER_NAME
    return wrapper if wrapper.exists() else Path("/") / _PROGRAM


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_TIMEOUT_S,
            text=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
