# SPDX-License-Identifier: AGPL-3.0-or-later
"""When a private RabbitMQ counts as installed, and what is said where it is not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.errors import ClusterError, ComponentMissingError
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.setup.places import CACHE_SETTING, server_account
from deploy.setup.prefix import LAYOUT_VERSION, MARKER_NAME
from deploy.setup.rabbitmq import (
    RabbitPrograms,
    find_rabbitmq,
    rabbitmq_plan,
    require_rabbitmq,
)


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prefix as the packages leave it: Erlang's scripts name Debian's own place."""
    monkeypatch.setenv(CACHE_SETTING, str(tmp_path))
    folder = tmp_path / rabbitmq_plan().name
    for name in ("usr/lib/erlang/bin", "usr/lib/erlang/erts-15.2.7/bin"):
        (folder / name).mkdir(parents=True)
        (folder / name / "erl").write_text("#!/bin/sh\nROOTDIR=/usr/lib/erlang\n")
    (folder / "usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5").mkdir(parents=True)
    record = {
        "layout": LAYOUT_VERSION,
        "folder": str(folder),
        "made_at": datetime(2026, 11, 1, tzinfo=UTC).isoformat(),
        "versions": {"rabbitmq-server": "4.0.5-6"},
    }
    (folder / MARKER_NAME).write_text(json.dumps(record))
    return folder


def rooted(prefix: Path) -> RabbitPrograms:
    for script in prefix.glob("usr/lib/erlang/**/erl"):
        script.write_text(f"#!/bin/sh\nROOTDIR='{prefix}/usr/lib/erlang'\n")
    return require_rabbitmq()


def test_an_installation_that_was_cut_off_before_its_last_step_counts_as_none(prefix: Path) -> None:
    assert find_rabbitmq() is None
    with pytest.raises(ComponentMissingError, match="luuthong setup --only rabbitmq"):
        require_rabbitmq()

    found = rooted(prefix)

    assert found.version == "4.0.5"
    assert found.runtime == prefix / "usr/lib/erlang/erts-15.2.7/bin"


def test_a_folder_with_too_long_a_name_is_said_before_anything_is_written(
    prefix: Path, tmp_path: Path
) -> None:
    folder = tmp_path / ("x" * 130)
    nodes = RabbitCluster(
        folder=folder,
        programs=rooted(prefix),
        account=server_account(),
        log_folder=tmp_path / "logs",
        control_secret="c",
        ingest_secret="i",
    )

    with pytest.raises(ClusterError, match="too long a name"):
        nodes.init()

    assert not folder.exists()


def test_no_two_ports_of_a_cluster_are_alike_and_no_secret_is_shown(
    prefix: Path, tmp_path: Path
) -> None:
    nodes = RabbitCluster(
        folder=tmp_path / "rq",
        programs=rooted(prefix),
        account=server_account(),
        log_folder=tmp_path,
        control_secret="control-secret",
        ingest_secret="ingest-secret",
    )

    ports = [
        port
        for node in nodes.nodes
        for port in (
            *(node.ports.mqtt, node.ports.amqp, node.ports.management),
            *(node.ports.distribution, node.ports.mqtt_tls, node.ports.amqp_tls),
        )
    ]
    assert len(set(ports)) == len(ports) == 18
    assert "control-secret" not in repr(nodes)
    assert "ingest-secret" not in repr(nodes)
