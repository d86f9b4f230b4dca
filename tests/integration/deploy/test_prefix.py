# SPDX-License-Identifier: AGPL-3.0-or-later
"""Private prefixes from a mirror on loopback, with real packages, apt, dpkg-deb and patchelf."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from deploy.errors import DiskSpaceError, DownloadFailedError, SetupError
from deploy.setup.prefix import PrefixPlan, ensure_prefix, find_prefix, renew_prefix
from deploy.setup.progress import SilentReporter
from tests.fixtures.package_server import PackageServer, build_package, write_index

NOW: Final = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
BULK_BYTES: Final = 3_000_000
REPORTER: Final = SilentReporter()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[PackageServer]:
    """A mirror with a program, its C library and something big."""
    if shutil.which("apt-get") is None:
        pytest.skip("no apt on this machine")
    root = tmp_path / "mirror"
    pool = root / "pool"
    pool.mkdir(parents=True)
    bulk = tmp_path / "bulk"
    bulk.write_bytes(bytes(BULK_BYTES))
    write_index(
        root,
        [
            build_package(pool, "libc-sample", c_library_files()),
            build_package(pool, "bulk-sample", {"usr/share/bulk": bulk}),
            build_package(
                pool,
                "program-sample",
                {"usr/bin/sample-true": Path(shutil.which("true") or "")},
                depends="libc-sample, bulk-sample",
            ),
        ],
    )
    with PackageServer(root) as server:
        yield server


def c_library_files() -> dict[str, Path]:
    """The machine's own C library and loader, at the places where Debian has them."""
    (library,) = [*Path("/usr/lib").glob("*-linux-gnu/libc.so.6")] or [
        *Path("/lib").glob("*-linux-gnu/libc.so.6")
    ]
    loader = next(library.parent.glob("ld-linux*.so.*"))
    folder = f"usr/lib/{library.parent.name}"
    return {f"{folder}/libc.so.6": library, f"{folder}/{loader.name}": loader}


def plan_from(mirror: PackageServer) -> PrefixPlan:
    return PrefixPlan(
        name="prefix-sample",
        suite="test",
        packages=("program-sample",),
        program_folders=("usr/bin",),
        what="a sample",
        source_lines=(mirror.source_line,),
    )


def test_a_prefix_runs_its_programs_with_its_own_loader_and_library(
    mirror: PackageServer, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"

    prefix = ensure_prefix(cache, plan_from(mirror), REPORTER, now=NOW)

    program = prefix.folder / "usr" / "bin" / "sample-true"
    listed = subprocess.run(
        [program], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, check=True
    ).stdout
    assert subprocess.run([program], check=False).returncode == 0
    assert f"=> {prefix.folder}/usr/lib" in listed
    assert prefix.made_at == NOW
    assert prefix.versions["bulk-sample"] == "1:1.0-1"
    assert sorted(path.name for path in cache.iterdir()) == ["prefix-sample", "prefix-sample.lock"]


def test_a_second_set_up_finds_the_prefix_and_downloads_nothing(
    mirror: PackageServer, tmp_path: Path
) -> None:
    ensure_prefix(tmp_path / "cache", plan_from(mirror), REPORTER, now=NOW)
    sent = mirror.package_bytes

    again = ensure_prefix(
        tmp_path / "cache", plan_from(mirror), REPORTER, now=NOW + timedelta(days=1)
    )

    assert again.made_at == NOW
    assert mirror.package_bytes == sent


def test_an_interrupted_download_leaves_no_prefix_and_resumes_where_it_stopped(
    mirror: PackageServer, tmp_path: Path
) -> None:
    plan, cache = plan_from(mirror), tmp_path / "cache"
    mirror.cut_after_bytes = BULK_BYTES // 8

    with pytest.raises(DownloadFailedError, match="run the same command again to go on"):
        ensure_prefix(cache, plan, REPORTER, now=NOW)

    assert find_prefix(cache, plan) is None
    mirror.cut_after_bytes, mirror.package_bytes = None, 0
    mirror.resumed.clear()
    ensure_prefix(cache, plan, REPORTER, now=NOW)
    assert mirror.resumed
    assert mirror.package_bytes < BULK_BYTES


def test_too_little_room_is_told_before_anything_is_downloaded(
    mirror: PackageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    nearly_full = usage._replace(free=5_000_000)
    monkeypatch.setattr("deploy.setup.places.shutil.disk_usage", lambda _: nearly_full)

    with pytest.raises(DiskSpaceError, match="has 4 MiB free"):
        ensure_prefix(tmp_path / "cache", plan_from(mirror), REPORTER, now=NOW)

    assert mirror.package_bytes == 0


def test_a_prefix_that_was_moved_counts_as_absent(mirror: PackageServer, tmp_path: Path) -> None:
    plan = plan_from(mirror)
    ensure_prefix(tmp_path / "cache", plan, REPORTER, now=NOW)

    (tmp_path / "cache").rename(tmp_path / "elsewhere")

    assert find_prefix(tmp_path / "elsewhere", plan) is None


def test_renewing_replaces_the_prefix_and_its_day(mirror: PackageServer, tmp_path: Path) -> None:
    plan, cache = plan_from(mirror), tmp_path / "cache"
    old = ensure_prefix(cache, plan, REPORTER, now=NOW)
    (old.folder / "left-over").touch()

    new = renew_prefix(cache, plan, REPORTER, now=NOW + timedelta(days=40))

    assert new.made_at == NOW + timedelta(days=40)
    assert not (new.folder / "left-over").exists()


def test_an_unknown_package_is_named(mirror: PackageServer, tmp_path: Path) -> None:
    plan = PrefixPlan(
        name="prefix-absent",
        suite="test",
        packages=("no-such-package",),
        program_folders=(),
        what="nothing",
        source_lines=(mirror.source_line,),
    )

    with pytest.raises(SetupError, match="no-such-package"):
        ensure_prefix(tmp_path / "cache", plan, REPORTER, now=NOW)
