# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rules about files that no other tool looks after."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from deploy.checks import lock_problems

ROOT = Path(__file__).resolve().parents[2]
LICENCE_LINE = "SPDX-License-Identifier: AGPL-3.0-or-later"
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 70
FORBIDDEN_MODULE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
SOURCES_WITH_LICENCE_LINE = {".py", ".sh", ".sql", ".js", ".mjs", ".css", ".html", ".toml", ".po"}

# The names are put together here so that this file does not contain them itself.
REGISTRY_HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("yarnpkg", "com"),
            ("deb", "debian"),
            ("security", "debian"),
            ("snapshot", "debian"),
        )
    )
)
MACHINE_PATHS = re.compile(
    r"(?:^|[^A-Za-z0-9_.])/(?:{})/".format("|".join(("w" + "ork", "f" + "arm")))
)
UNTRACKED_FOLDERS = {"node_modules", "__pycache__", "dist", "runs", "build"}


@cache
def tracked_files() -> tuple[Path, ...]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return tuple(
            path
            for path in ROOT.rglob("*")
            if not UNTRACKED_FOLDERS.intersection(path.relative_to(ROOT).parts)
            and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        )
    listed = subprocess.run(
        (git, "-c", f"safe.directory={ROOT}", "ls-files", "-zco", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return tuple(ROOT / name for name in listed.stdout.split("\0") if name)


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked_files():
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content[:4096]:
            yield path.relative_to(ROOT), content.decode("utf-8", errors="replace")


def product_modules() -> list[Path]:
    tests = ROOT / "tests"
    return [p for p in tracked_files() if p.suffix == ".py" and tests not in p.parents]


def test_there_is_something_to_look_at() -> None:
    assert len(product_modules()) > 20


def test_no_file_names_a_host_of_a_package_registry() -> None:
    found = [str(path) for path, text in texts() if REGISTRY_HOSTS.search(text)]

    assert found == []


def test_no_file_holds_an_absolute_path_of_a_machine() -> None:
    found = [str(path) for path, text in texts() if MACHINE_PATHS.search(text)]

    assert found == []


def test_locks_have_hashes_and_no_addresses() -> None:
    assert list(lock_problems(ROOT)) == []


def test_every_source_file_states_its_licence() -> None:
    missing = [
        str(path)
        for path, text in texts()
        if path.suffix in SOURCES_WITH_LICENCE_LINE
        and LICENCE_LINE not in "\n".join(text.splitlines()[:4])
    ]

    assert missing == []


def test_no_module_outgrows_its_limit() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in product_modules()
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_MODULE_LINES
    }

    assert long == {}


def test_no_function_outgrows_its_limit() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in product_modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= MAX_FUNCTION_LINES
    ]

    assert long == []


def test_the_name_of_a_module_says_what_it_knows() -> None:
    vague = [
        str(path.relative_to(ROOT))
        for path in product_modules()
        if FORBIDDEN_MODULE_NAMES & {path.stem, path.parent.name}
    ]

    assert vague == []


@pytest.mark.parametrize("package", ["central", "models", "central/contracts"])
def test_importing_a_package_starts_nothing(package: str) -> None:
    tree = ast.parse((ROOT / package / "__init__.py").read_text("utf-8"))

    assert len(tree.body) == 1
    assert ast.get_docstring(tree)


def test_code_never_asks_for_the_time_behind_the_callers_back() -> None:
    calls = re.compile(r"datetime\.(?:now|utcnow|today)\(|date\.today\(")
    clocks = {  # The few places where a clock is made and handed on.
        path.relative_to(ROOT)
        for path in product_modules()
        if calls.search(path.read_text("utf-8"))
        # Commands are entry points, and named so everywhere.
        and "commands" not in {path.stem, path.parent.name}
    }

    assert clocks <= {
        Path(name)
        for name in (
            "api/main.py",
            "central/cli.py",
            "central/ingest/app.py",
            "central/jobs/worker.py",
            "deploy/local/clock.py",
            "edge/cli.py",
        )
    }
