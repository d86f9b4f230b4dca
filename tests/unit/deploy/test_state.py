# SPDX-License-Identifier: AGPL-3.0-or-later
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.errors import PortInUseError
from deploy.local.layout import StackLayout, write_secret
from deploy.local.ports import LOOPBACK
from deploy.local.state import (
    ServicePhase,
    ServiceState,
    StackPhase,
    StackState,
    held_lock,
    is_lock_held,
    read_state,
    write_state,
)
from deploy.local.supervision.planning import plan
from deploy.setup.places import server_account


def make_state(folder: Path, **ports: int) -> StackState:
    return StackState(
        phase=StackPhase.READY,
        supervisor_pid=os.getpid(),
        postgres_port=ports.get("postgres", 40_001),
        broker_port=ports.get("broker", 40_002),
        api_port=ports.get("api", 40_003),
        metrics_port=ports.get("metrics", 40_004),
        socket_folder=folder / "run",
        evidence_folder=folder / "evidence",
        services=(
            ServiceState(
                name="api",
                phase=ServicePhase.RUNNING,
                pid=1,
                restarts=2,
                since=datetime(2026, 1, 2, tzinfo=UTC),
                where="here",
            ),
        ),
    )


def make_layout(folder: Path) -> StackLayout:
    return StackLayout(home=folder, server_folder=folder, account=server_account())


def test_a_written_state_is_read_back_whole(tmp_path: Path) -> None:
    state = make_state(tmp_path)

    write_state(tmp_path / "state.json", state)

    assert read_state(tmp_path / "state.json") == state


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', "\x00\x01"])
def test_a_damaged_state_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)

    assert read_state(tmp_path / "state.json") is None


def test_a_start_keeps_the_last_ports(tmp_path: Path) -> None:
    last = plan(make_layout(tmp_path), api_port=None)
    write_state(tmp_path / "state.json", last)

    again = plan(make_layout(tmp_path), api_port=None)

    assert (again.broker_port, again.api_port) == (last.broker_port, last.api_port)


def test_a_start_leaves_a_port_that_another_program_has_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        write_state(tmp_path / "state.json", make_state(tmp_path, api=taken))

        planned = plan(make_layout(tmp_path), api_port=None)

    assert planned.api_port != taken


def test_a_chosen_port_in_use_is_refused_by_number(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=f"port {taken} is in use"):
            plan(make_layout(tmp_path), api_port=taken)


def test_the_lock_alone_tells_whether_a_supervisor_lives(tmp_path: Path) -> None:
    lock = tmp_path / "supervisor.lock"
    assert not is_lock_held(lock)

    with held_lock(lock) as is_ours:
        assert is_ours
        assert is_lock_held(lock)

    assert not is_lock_held(lock)


def test_secrets_pictures_and_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    layout = StackLayout(
        home=tmp_path / "home", server_folder=tmp_path / "servers", account=server_account()
    )

    layout.make_folders()
    write_secret(layout.ingest_secret_file, "s3cret")

    for path in (layout.secrets, layout.evidence, layout.logs, layout.ingest_secret_file):
        assert path.stat().st_mode & 0o077 == 0, path
    assert layout.ingest_secret_file.read_text("utf-8") == "s3cret\n"
