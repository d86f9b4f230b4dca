# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about the quarantine on a real database: see why, mend, replay, discard."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from typer.testing import CliRunner

from central.completeness.types import Explanation
from central.ingest.commands import quarantine_commands
from central.settings import CentralSettings
from tests.integration.central.ledgers import Centre, passages

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(centre: Centre) -> Run:
    """Run a command; its exit code, and what it printed or failed with."""
    app = quarantine_commands(lambda: CentralSettings(database_url=centre.url))

    def run_command(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
        return done.exit_code, done.output + str(done.exception or "")

    return run_command


def raw(device: "FakeDevice", seq: int, **changes: Any) -> bytes:  # noqa: ANN401  # any JSON
    """A passage whose fields are changed after it was made."""
    fields = json.loads(passages(device, seq)[0].to_json())
    return json.dumps({**fields, **changes}).encode()


def entry(rows: psycopg.Connection, seq: int | None) -> str:
    [(found,)] = rows.execute(
        "SELECT id FROM quarantine WHERE seq IS NOT DISTINCT FROM %s", [seq]
    ).fetchall()
    return str(found)


def test_a_message_of_a_newer_version_is_read_as_the_known_one_and_counts_as_stored(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, run: Run
) -> None:
    newer = raw(device, 2, kind="passage/2", vehicle_class="hovercraft", wings=4)
    centre.store_raw(device, passages(device, 1)[0].to_json(), newer)
    before = centre.account(device)
    number = entry(rows, 2)

    early = run("replay", number)
    mended = run("mend", number, "--note", "a device of the next version")
    replayed = run("replay", number)
    again = run("replay", number)
    after = centre.account(device)

    assert [gap.explanation for gap in before.gaps] == [Explanation.QUARANTINED]
    assert (early[0], mended[0], replayed[0], again[0]) == (1, 0, 0, 1)
    assert (after.gaps, after.stored_count) == ((), 2)
    stored = rows.execute("SELECT vehicle_class FROM passage WHERE seq = 2").fetchall()
    assert stored == [(None,)]
    [kept] = rows.execute(
        "SELECT payload, resolution, mended_by, mend_note FROM quarantine"
    ).fetchall()
    assert bytes(kept[0]) == newer, "the message stays as it came"
    assert kept[1:] == (
        "stored",
        "luuthong-central quarantine",
        "a device of the next version",
    )
    acts = rows.execute("SELECT action FROM audit_entry ORDER BY id").fetchall()
    assert [act for (act,) in acts] == [
        "quarantine_retried",
        "quarantine_mended",
        "quarantine_retried",
    ]


def test_what_is_written_by_hand_has_to_be_the_same_event_and_keep_the_contract(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, run: Run, tmp_path: Path
) -> None:
    broken = raw(device, 2, lane=0)
    centre.store_raw(device, passages(device, 1)[0].to_json(), broken)
    number = entry(rows, 2)

    def mend(text: bytes) -> tuple[int, str]:
        file = tmp_path / "mended.json"
        file.write_bytes(text)
        return run("mend", number, "--note", "lane 1", "--file", str(file))

    good = raw(device, 2, id=json.loads(broken)["id"])
    refused = {
        "lane: greater_than_equal": mend(broken),
        "have to stay": mend(raw(device, 3, id=json.loads(broken)["id"])),
        "of another topic": mend(raw(device, 2, site_id="km13")),
        "not JSON": mend(b"{"),
    }
    unexplained = run("mend", number, "--note", " ")

    for words, (code, output) in refused.items():
        assert code == 1, words
        assert words in output
    assert unexplained[0] == 2
    assert mend(good)[0] == 0
    assert run("replay", number)[0] == 0
    assert centre.account(device).stored_count == 2


def test_an_unreadable_message_is_mended_to_the_event_it_was_unless_that_came_already(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, run: Run, tmp_path: Path
) -> None:
    first = passages(device, 1)[0]
    centre.store_raw(device, first.to_json(), b'{"cut off')
    number = entry(rows, None)
    file = tmp_path / "mended.json"

    file.write_bytes(raw(device, 1))
    taken = run("mend", number, "--note", "x", "--file", str(file))
    file.write_bytes(raw(device, 2))
    mended = run("mend", number, "--note", "from the device's own log", "--file", str(file))
    replayed = run("replay", number)

    assert (taken[0], mended[0], replayed[0]) == (1, 0, 0)
    assert "came already" in taken[1]
    assert rows.execute("SELECT seq FROM passage ORDER BY seq").fetchall() == [(1,), (2,)]
    assert rows.execute("SELECT count(*) FROM quarantine WHERE resolved_at IS NULL").fetchone() == (
        0,
    )


def test_a_number_that_was_used_twice_is_not_mended(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, run: Run
) -> None:
    centre.store(device, *passages(device, 1))
    centre.store(device, *passages(device, 1))  # another event of the same number

    refused = run("mend", entry(rows, 1), "--note", "x")

    assert refused[0] == 1
    assert "mended" in refused[1]


def test_messages_are_counted_shown_for_a_purpose_and_discarded_with_a_reason(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, run: Run
) -> None:
    centre.store_raw(device, raw(device, 1, lane=0), raw(device, 2, lane=0))
    number = entry(rows, 1)

    counted = run("list", "--by-device")
    listed = run("list", "--device", device.device_id)
    others = run("list", "--device", "gate-99")
    facts = run("show", number)
    content = run("show", number, "--purpose", "inspection")
    discarded = run("discard", number, "--reason", "a test of the lane")
    twice = run("discard", number, "--reason", "a test of the lane")

    assert device.device_id in counted[1]
    assert " 2 " in counted[1]
    assert listed[1].count("contract_broken") == 2
    assert "contract_broken" not in others[1]
    assert "contract_broken" in facts[1]
    assert "47AD15155" not in facts[1] + listed[1]
    assert "47AD15155" in content[1]
    assert (discarded[0], twice[0]) == (0, 1)
    looks = rows.execute("SELECT action, purpose FROM audit_entry ORDER BY id").fetchall()
    assert looks == [("quarantine_looked_at", "inspection"), ("quarantine_dropped", None)]
    explanations = [gap.explanation for gap in centre.account(device).gaps]
    assert explanations == [Explanation.DISCARDED, Explanation.QUARANTINED]
