# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands about devices, with a RabbitMQ cluster for a broker."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt import publish
from paho.mqtt.enums import MQTTProtocolVersion
from typer.testing import CliRunner

from central.contracts.topics import Stream
from central.devices.broker_rights import INGEST_USERNAME
from central.devices.commands import device_commands
from central.devices.rabbitmq.accounts import RabbitAccounts
from central.settings import CentralSettings
from deploy.local.broker import may_connect
from deploy.rabbitmq.cluster import RabbitCluster
from tests.cluster.conftest import RabbitForTests
from tests.integration.central.test_broker_accounts import OWN, WAIT_S, connected, topic

Run = Callable[..., str]


@pytest.fixture
def run(ingest_settings: CentralSettings, rabbitmq: RabbitCluster, tmp_path: Path) -> Run:
    """Run a command to its end; what it printed."""
    control = tmp_path / "control.password"
    control.write_text(rabbitmq.control_secret)
    broker = ingest_settings.required_broker()
    assert broker.rabbitmq is not None
    urls = tuple(node.management_url for node in rabbitmq.nodes)
    settings = ingest_settings.model_copy(
        update={
            "broker": broker.model_copy(
                update={
                    "control_password_file": control,
                    "rabbitmq": broker.rabbitmq.model_copy(update={"management_urls": urls}),
                }
            )
        }
    )
    app = device_commands(lambda: settings)

    def run_command(*words: str) -> str:
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output.strip()

    return run_command


def test_a_device_that_is_added_comes_in_and_one_that_is_switched_off_does_not(
    run: Run, broker: RabbitForTests
) -> None:
    secret = run("add", OWN, "--site", "km12", "--province", "dak-lak")
    added = may_connect(port=broker.port, username=OWN, secret=secret)
    run("disable", OWN)
    barred = may_connect(port=broker.port, username=OWN, secret=secret)
    run("enable", OWN)
    back = may_connect(port=broker.port, username=OWN, secret=secret)

    assert (added, barred, back) == (True, False, True)


def test_a_cluster_is_brought_in_step_with_the_centre(run: Run, accounts: RabbitAccounts) -> None:
    run("add", OWN, "--site", "km12", "--province", "dak-lak")
    for account in accounts.accounts():
        accounts.remove(account.device_id)

    assert run("sync-broker") == "let in 1, barred 0, removed 0"
    assert run("sync-broker") == "let in 0, barred 0, removed 0"


def test_the_first_accounts_are_written_as_definitions_without_a_plain_secret(
    run: Run, rabbitmq: RabbitCluster, tmp_path: Path
) -> None:
    output = tmp_path / "definitions.json"

    run("broker-accounts", "--output", str(output))

    written = output.read_text()
    assert [each["name"] for each in json.loads(written)["users"]] == ["centre", "ingest"]
    assert rabbitmq.control_secret not in written
    assert rabbitmq.ingest_secret not in written
    assert output.stat().st_mode & 0o077 == 0


def test_a_command_for_a_device_reaches_it(broker: RabbitForTests) -> None:
    secret = broker.add_device(OWN)
    with connected(broker, OWN, secret) as device:
        assert device.may_subscribe(topic(OWN, Stream.COMMAND))

        publish.single(  # as the worker of the jobs does it
            topic(OWN, Stream.COMMAND),
            b"command",
            qos=1,
            hostname=broker.host,
            port=broker.port,
            auth={"username": INGEST_USERNAME, "password": broker.password(INGEST_USERNAME)},
            protocol=MQTTProtocolVersion.MQTTv5,
        )

        assert device.messages.get(timeout=WAIT_S) == (topic(OWN, Stream.COMMAND), b"command")
