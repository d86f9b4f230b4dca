# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_packages_import_only_in_the_allowed_directions() -> None:
    lint_imports = Path(sys.executable).parent / "lint-imports"

    result = subprocess.run(
        (str(lint_imports), "--no-cache"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stdout


def test_a_device_installs_no_training_framework_and_no_database_driver() -> None:
    program = (
        "import sys, edge.cli\n"
        "heavy = {'torch', 'ultralytics', 'psycopg', 'fastapi', 'alembic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    result = subprocess.run(
        (sys.executable, "-c", program),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stderr
