# SPDX-License-Identifier: AGPL-3.0-or-later
"""Debian packages without touching this machine: a private apt with its own lists and cache.

The mirror, proxy and certificates are those of the machine's own apt; signatures are checked
against the machine's Debian keyring as usual. The dpkg status is empty, so that the closure
of a package is complete and does not depend on what the machine has.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.errors import DownloadFailedError, MirrorNotFoundError, ProgramMissingError, SetupError
from deploy.setup.places import ROOT_UID
from deploy.setup.progress import Reporter

MIRROR_SETTING: Final = "LUUTHONG_DEBIAN_MIRROR"
DEBIAN_SUITES: Final = frozenset(
    {"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}
)

# Up: a flaky line is tried longer before we give up. Down: a dead line is reported earlier.
_RETRIES: Final = 3
_QUERY_TIMEOUT_S: Final = 60.0
_UPDATE_TIMEOUT_S: Final = 600.0
_DOWNLOAD_TIMEOUT_S: Final = 3600.0
_LAST_LINES: Final = 3
_KEYRING_FOLDER: Final = Path("/usr/share/keyrings")
_KEYRING_NAMES: Final = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
_INRELEASE: Final = re.compile(r"^'(?P<uri>\S+)/dists/(?P<suite>[^/']+)/InRelease'", re.MULTILINE)
_PRINTED_URI: Final = re.compile(r"^'\S+' (?P<file>\S+) (?P<bytes>\d+) ", re.MULTILINE)
_INSTALLED_SIZE: Final = re.compile(r"^Installed-Size: (\d+)$", re.MULTILINE)
_INSTALL_LINE: Final = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)
_BYTES_PER_KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrors:
    """Where Debian's packages come from."""

    main_uri: str
    security_uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Everything that must be fetched for some packages."""

    versions: Mapping[str, str]
    download_bytes: int
    unpacked_bytes: int


class PrivateApt:
    """An apt of our own in one folder.

    Args:
        folder: Its lists, cache and configuration; kept between runs, so that an interrupted
            download resumes.
        suite: Debian suite, for example ``trixie``.
        source_lines: Where packages come from, in the format of ``sources.list``; ``None`` for
            the machine's own Debian mirror, checked against the machine's Debian keyring.
    """

    def __init__(
        self, folder: Path, *, suite: str, source_lines: Sequence[str] | None = None
    ) -> None:
        self.folder = folder
        self._source_lines = source_lines
        self._suite = suite
        self._configuration = folder / "apt.conf"

    @property
    def archives(self) -> Path:
        """Folder of the downloaded packages."""
        return self.folder / "cache" / "archives"

    def update(self, reporter: Reporter) -> None:
        """Fetch the suite's package lists and check their signatures.

        Raises:
            DownloadFailedError: The mirror did not answer, or a signature is wrong.
            MirrorNotFoundError: The machine's apt names no Debian mirror.
            ProgramMissingError: apt or the Debian keyring is absent.
        """
        self._prepare()
        what = f"the package lists of Debian {self._suite}"
        reporter.update(f"Fetching {what}")
        arguments = ["-q", "-o", "APT::Get::List-Cleanup=false", "update", "--error-on=any"]
        result = self._run("apt-get", arguments, timeout_s=_UPDATE_TIMEOUT_S)
        if result.returncode != 0:
            raise DownloadFailedError(what, detail=_last_words(result.stdout))

    def closure(self, packages: Sequence[str]) -> Closure:
        """Packages with everything they depend on, and the room they need.

        Raises:
            SetupError: The suite has no such package.
        """
        install = ["--no-install-recommends", "install", *packages]
        simulated = self._run("apt-get", ["-s", *install], timeout_s=_QUERY_TIMEOUT_S)
        if simulated.returncode != 0:
            raise SetupError(
                f"Debian {self._suite} cannot give {', '.join(packages)}:"
                f" {_last_words(simulated.stdout)}"
            )
        versions = dict(_INSTALL_LINE.findall(simulated.stdout))
        to_fetch = self._run(
            "apt-get", ["-qq", "-y", "--print-uris", *install], timeout_s=_QUERY_TIMEOUT_S
        )
        named = [f"{name}={version}" for name, version in versions.items()]
        records = self._run("apt-cache", ["show", *named], timeout_s=_QUERY_TIMEOUT_S)
        return Closure(
            versions=versions,
            download_bytes=sum(
                int(match["bytes"]) for match in _PRINTED_URI.finditer(to_fetch.stdout)
            ),
            unpacked_bytes=sum(int(size) for size in _INSTALLED_SIZE.findall(records.stdout))
            * _BYTES_PER_KIB,
        )

    def download(self, packages: Sequence[str], reporter: Reporter, *, what: str) -> list[Path]:
        """Fetch packages with their dependencies; what arrived in an earlier run is kept.

        Args:
            packages: Names of Debian packages.
            reporter: Told how far the download is.
            what: Name of the whole in plain words, for the progress line.

        Returns:
            The ``.deb`` files of the closure, sorted by name.

        Raises:
            DownloadFailedError: The download broke off.
        """
        arguments = ["-y", "-d", "-q", "--no-install-recommends", "install", *packages]
        reader, writer = os.pipe()
        process = subprocess.Popen(
            ["apt-get", "-o", f"APT::Status-Fd={writer}", *arguments],  # noqa: S607 - by PATH
            stdin=subprocess.DEVNULL,
            stdout=(output := (self.folder / "download.log").open("w+")),
            stderr=subprocess.STDOUT,
            env=self._environment(),
            pass_fds=(writer,),
            text=True,
        )
        os.close(writer)
        with output, os.fdopen(reader) as status, _ended_with_us(process):
            for fraction in _download_fractions(status):
                reporter.update(f"Downloading {what}", fraction=fraction)
            code = process.wait(timeout=_DOWNLOAD_TIMEOUT_S)
            output.seek(0)
            if code != 0:
                raise DownloadFailedError(what, detail=_last_words(output.read()))
        return self._downloaded(packages)

    def _downloaded(self, packages: Sequence[str]) -> list[Path]:
        listed = [
            _archive_name(name, version)
            for name, version in self.closure(packages).versions.items()
        ]
        found = [path for path in self.archives.glob("*.deb") if _stem(path) in listed]
        if len(found) != len(listed):
            raise DownloadFailedError(
                "Debian packages", detail=f"{len(found)} of {len(listed)} have arrived"
            )
        return sorted(found)

    def _prepare(self) -> None:
        if shutil.which("apt-get") is None:
            raise ProgramMissingError(
                "apt-get", remedy="Luuthong sets itself up on Debian and its relatives."
            )
        for name in ("lists/partial", "cache/archives/partial", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "state" / "status").write_text("")
        given = self._source_lines
        lines = self._machine_lines() if given is None else given
        (self.folder / "sources.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(self._configuration_text())

    def _machine_lines(self) -> list[str]:
        mirrors, source = machine_mirrors(self.folder), f"deb [signed-by={debian_keyring()}]"
        lines = [f"{source} {mirrors.main_uri} {self._suite} main"]
        if mirrors.security_uri is not None:
            lines.append(f"{source} {mirrors.security_uri} {self._suite}-security main")
        return lines

    def _configuration_text(self) -> str:
        """The machine's way to the network, our own folders, and none of the machine's hooks."""
        dump = _query(["apt-config", "dump"])
        network = [line for line in dump.splitlines() if line.startswith("Acquire::")]
        settings = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": self.folder / "state",
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "state" / "status",
            "Dir::Cache": self.folder / "cache",
            "Dir::Cache::archives": self.archives,
            "Debug::NoLocking": "true",  # our own lock is held; see deploy.setup.locking
            "Acquire::Retries": _RETRIES,
            "Acquire::Languages": "none",
        }
        if os.geteuid() == ROOT_UID:
            settings["APT::Sandbox::User"] = "root"  # its own account cannot enter our folder
        return "\n".join(
            [*network, *(f'{name} "{value}";' for name, value in settings.items()), ""]
        )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "APT_CONFIG": str(self._configuration),
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }

    def _run(
        self, program: str, arguments: Sequence[str], *, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            timeout=timeout_s,
            text=True,
            check=False,
        )


def machine_mirrors(work_folder: Path) -> Mirrors:
    """Debian mirrors that the machine's apt is configured with.

    Works without package lists: apt is asked which addresses it would read.

    Args:
        work_folder: Where an empty folder of lists may be made.

    Raises:
        MirrorNotFoundError: None is configured and none is given by ``LUUTHONG_DEBIAN_MIRROR``.
    """
    if chosen := os.environ.get(MIRROR_SETTING):
        return Mirrors(main_uri=chosen.rstrip("/"), security_uri=None)
    with tempfile.TemporaryDirectory(dir=work_folder) as probe:
        option = f"Dir::State::lists={probe}"
        printed = _query(["apt-get", "-o", option, "update", "--print-uris"])
    found = [(match["suite"], match["uri"]) for match in _INRELEASE.finditer(printed)]
    main = [uri for suite, uri in found if suite in DEBIAN_SUITES]
    security = [uri for suite, uri in found if _is_security_suite(suite)]
    if not main:
        raise MirrorNotFoundError(MIRROR_SETTING)
    return Mirrors(main_uri=main[0], security_uri=security[0] if security else None)


def debian_keyring() -> Path:
    """The machine's keyring of Debian's archive.

    Raises:
        ProgramMissingError: It is not installed.
    """
    for name in _KEYRING_NAMES:
        if (keyring := _KEYRING_FOLDER / name).is_file():
            return keyring
    raise ProgramMissingError(
        "the Debian archive keyring", remedy="Install the package debian-archive-keyring."
    )


def machine_suite() -> str | None:
    """Code name of the Debian this machine runs, ``None`` where it is no Debian."""
    values = _release_values()
    return values.get("VERSION_CODENAME") if values.get("ID") == "debian" else None


def _release_values() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip().strip('"') for name, value in pairs}


def _is_security_suite(suite: str) -> bool:
    return suite.removesuffix("-security") in DEBIAN_SUITES and suite.endswith("-security")


def _query(command: Sequence[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        timeout=_QUERY_TIMEOUT_S,
        text=True,
        check=False,
    ).stdout


def _download_fractions(status: IO[str]) -> Iterator[float]:
    """Fractions in [0, 1] from the lines ``dlstatus:N:PERCENT:text`` that apt writes."""
    for line in status:
        fields = line.split(":")
        if fields[0] == "dlstatus":
            yield min(1.0, float(fields[2]) / 100)


class _ended_with_us:  # noqa: N801 - used as a context manager, like contextlib's
    """Ends a child when the block is left by an exception, a Ctrl-C included."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __enter__(self) -> None:
        """Nothing to do: the child runs already."""

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def _archive_name(name: str, version: str) -> str:
    return f"{name}_{version.replace(':', '%3a')}"


def _stem(path: Path) -> str:
    return path.name.rsplit("_", 1)[0]


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return " ".join((errors or lines)[-_LAST_LINES:]) or "no reason was given"
