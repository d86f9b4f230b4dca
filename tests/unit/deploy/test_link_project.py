# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

from deploy.setup.link_project import link_project

PROJECT = """
[project]
name = "sample"
version = "1.2.3"
license = "MIT"

[project.scripts]
sample = "sample_code.cli:main"
"""
CODE = """
from importlib.metadata import version

def main() -> int:
    print("sample", version("sample"))
    return 7
"""


def test_a_linked_checkout_has_its_command_and_its_version(tmp_path: Path) -> None:
    root, environment = tmp_path / "check out", tmp_path / "environment of spaces"
    (root / "sample_code").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "sample_code" / "cli.py").write_text(CODE)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site_packages,) = environment.glob("lib/python*/site-packages")

    for _ in range(2):  # a second run changes nothing
        link_project(
            root,
            site_packages=site_packages,
            scripts=environment / "bin",
            python=environment / "bin" / "python",
        )
    result = subprocess.run(
        [environment / "bin" / "sample"], capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout) == (7, "sample 1.2.3\n")
