# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is known of the locked packages is kept with their digest, and the SBOM is reproducible."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from deploy import supply_chain
from deploy.supply_chain import audit, kept_problems, reproducible, sbom

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def test_a_kept_answer_counts_only_for_the_locks_it_was_about(tmp_path: Path) -> None:
    kept = tmp_path / "audit.json"
    kept.write_text(json.dumps({"locks": "abc", "findings": ["left-pad 1.0: X-1"]}))

    assert list(kept_problems(kept, locks="abc")) == ["left-pad 1.0: X-1"]
    assert list(kept_problems(kept, locks="other")) == []
    assert list(kept_problems(tmp_path / "absent.json", locks="abc")) == []
    kept.write_text("no json")
    assert list(kept_problems(kept, locks="abc")) == []


def test_an_audit_that_could_ask_nobody_says_so_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "audit.json"
    monkeypatch.setattr(supply_chain, "KEPT_FILE", kept)
    monkeypatch.setattr(supply_chain, "_run", lambda *_: None)

    code = audit(Console(), now=NOW)

    assert code == 0
    assert capsys.readouterr().out.count("could not ask") == 2
    assert not kept.exists()


def test_known_vulnerabilities_are_named_kept_and_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "pip-audit": {
            "dependencies": [{"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}]
        },
        "npm": {"vulnerabilities": {"left-pad": {"range": "<2", "severity": "high"}}},
    }

    def run(command: tuple[str, ...], _folder: Path) -> subprocess.CompletedProcess[str]:
        name = "pip-audit" if "pip-audit" in command[0] else "npm"
        return subprocess.CompletedProcess(command, 1, stdout=json.dumps(answers[name]), stderr="")

    kept = tmp_path / "audit.json"
    monkeypatch.setattr(supply_chain, "KEPT_FILE", kept)
    monkeypatch.setattr(supply_chain, "OUTPUT_FOLDER", tmp_path)
    monkeypatch.setattr(supply_chain, "_run", run)

    code = audit(Console(), now=NOW)

    assert code == 1
    told = capsys.readouterr().out
    assert "old 1.0: PYSEC-1" in told
    assert "left-pad <2: high" in told
    found = list(kept_problems(kept, locks=supply_chain.locks_digest()))
    assert found == ["old 1.0: PYSEC-1", "left-pad <2: high"]


def test_documents_of_what_is_inside_are_the_same_every_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supply_chain, "OUTPUT_FOLDER", tmp_path)

    assert sbom(Console()) == 0
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sbom(Console()) == 0

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert set(first) == {"sbom-python.cdx.json", "sbom-console.cdx.json"}
    names = {each["name"] for each in json.loads(first["sbom-python.cdx.json"])["components"]}
    assert {"fastapi", "cryptography", "psycopg"} <= names
    console = {each["name"] for each in json.loads(first["sbom-console.cdx.json"])["components"]}
    assert "htmx.org" in console


def test_number_and_time_are_left_out_of_a_document() -> None:
    document = {"serialNumber": "urn:1", "metadata": {"timestamp": "now", "tools": []}, "a": 1}

    assert json.loads(reproducible(json.dumps(document))) == {"a": 1, "metadata": {"tools": []}}
