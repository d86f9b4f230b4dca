# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

from deploy.local.commands.skipped import skip_reasons

TESTS = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.skip(reason="no camera here")
def test_camera(number): ...

def test_runs(): ...

def test_browser(): pytest.skip("no browser here")
"""


def test_the_reasons_of_a_real_report_are_counted(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "-c", "/dev/null", tmp_path],
        capture_output=True,
        check=True,
    )

    assert skip_reasons(report) == {"no camera here": 2, "no browser here": 1}


def test_an_absent_report_gives_no_reasons(tmp_path: Path) -> None:
    assert skip_reasons(tmp_path / "absent.xml") == {}
