# SPDX-License-Identifier: AGPL-3.0-or-later
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from central.broker_settings import BrokerSettings, RabbitSettings
from central.db.pool import connection_info
from central.errors import SettingsError
from central.settings import CentralSettings, read_secret, read_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUUTHONG_CENTRAL_DATABASE_URL", "postgresql:///luuthong")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUUTHONG_CENTRAL_BROKER__HOST", "127.0.0.1")
    monkeypatch.setenv("LUUTHONG_CENTRAL_BROKER__PORT", "18830")
    monkeypatch.setenv("LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE", "secret")
    monkeypatch.setenv("LUUTHONG_CENTRAL_INGEST__BATCH_WAIT", "PT0.1S")

    settings = read_settings()

    assert settings.required_broker().port == 18830
    assert settings.ingest.batch_wait == timedelta(milliseconds=100)


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUUTHONG_CENTRAL_DATABASE_URL", "mysql://somebody:verysecret@host")

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert "LUUTHONG_CENTRAL_DATABASE_URL" in str(refused.value)
    assert "verysecret" not in str(refused.value)


def test_a_broker_on_another_machine_is_reached_by_tls_only(tmp_path: Path) -> None:
    here = BrokerSettings(host="127.0.0.1", password_file=tmp_path)
    there = BrokerSettings(host="broker.example", password_file=tmp_path, ca_file=tmp_path)

    assert (here.ca_file, there.ca_file) == (None, tmp_path)
    with pytest.raises(ValueError, match="needs a ca_file"):
        BrokerSettings(host="broker.example", password_file=tmp_path)


def test_every_node_of_a_cluster_on_another_machine_is_reached_by_tls_only(tmp_path: Path) -> None:
    rabbitmq = RabbitSettings(nodes=("127.0.0.1:5672", "[::1]:5672", "10.0.0.5:5671"))

    assert rabbitmq.addresses == (("127.0.0.1", 5672), ("::1", 5672), ("10.0.0.5", 5671))
    with pytest.raises(ValueError, match="needs a ca_file"):
        BrokerSettings(host="127.0.0.1", password_file=tmp_path, rabbitmq=rabbitmq)


@pytest.mark.parametrize(
    ("nodes", "urls", "complaint"),
    [
        ((), (), "at least 1 item"),
        (("10.0.0.5",), (), "host:port"),  # no port
        (("10.0.0.5:65536",), (), "host:port"),  # ports end before
        (("ingest:secret@10.0.0.5:5671",), (), "host:port"),  # secrets stand in files
        (("10.0.0.5:5671", "10.0.0.5:5671"), (), "same address"),
        (("10.0.0.5:5671",), ("http://10.0.0.5:15672",), "https://host:port"),  # in the clear
        (("10.0.0.5:5671",), ("https://centre:secret@10.0.0.5",), "https://host:port"),
    ],
)
def test_a_wrong_address_of_a_cluster_is_said_in_plain_words(
    nodes: tuple[str, ...], urls: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        RabbitSettings(nodes=nodes, management_urls=urls)


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql:///lt?host=/run/postgresql", None),
        ("postgresql://127.0.0.1/lt", None),
        ("postgresql://db.example/lt", "verify-full"),
        ("postgresql://db.example/lt?sslrootcert=ca.pem", "verify-full"),
        ("postgresql://db.example/lt?sslmode=disable", "disable"),  # somebody's own decision
    ],
)
def test_a_database_on_another_machine_proves_itself_unless_told_otherwise(
    address: str, mode: str | None
) -> None:
    assert conninfo_to_dict(connection_info(address)).get("sslmode") == mode


def test_ingest_without_a_broker_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="BROKER__HOST"):
        CentralSettings(database_url="postgresql:///luuthong").required_broker()


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("correct horse\nsecond line\n")

    assert read_secret(file) == "correct horse"


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret"
    file.write_text(content)

    with pytest.raises(SettingsError, match="empty"):
        read_secret(file)


def test_a_missing_secret_is_refused_without_its_whole_path(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        read_secret(tmp_path / "absent")
