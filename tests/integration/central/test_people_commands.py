# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands at the server about second factors and about links to outside accounts."""

from typing import Final

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from central.errors import UserNotFoundError
from central.identity.commands import user_commands
from central.identity.outside.errors import OutsideTakenError
from central.identity.second_factor.commands import second_factor_commands

ISSUER: Final = "https://login.example/realms/so"
PEOPLE: Final = """
    INSERT INTO app_user (username, display_name, password_hash, role, created_at)
    VALUES ('an', 'An', 'x', 'clerk', now()), ('binh', 'Bình', 'x', 'clerk', now());
    INSERT INTO app_session (token_hash, user_id, created_at, last_used_at, expires_at, proof)
    SELECT sha256(proof::bytea), app_user.id, now(), now(), now() + interval '1 hour', proof
      FROM app_user, unnest(ARRAY['outside', 'password']) AS proof
     WHERE username = 'an';
    INSERT INTO security_key (credential_id, user_id, public_key, sign_count, name, created_at)
    SELECT 'c', id, 'k', 0, 'usb', now() FROM app_user WHERE username = 'an';
    INSERT INTO recovery_code (user_id, code_hash, created_at)
    SELECT id, sha256('c'), now() FROM app_user WHERE username = 'an';
"""


@pytest.fixture
def people_url(database_url: str) -> str:
    """A database with two people, one of them signed in twice and with a key."""
    with psycopg.connect(database_url) as rows:
        rows.execute(PEOPLE)
    return database_url


def said(app: typer.Typer, *words: str) -> str:
    """What a command prints; its errors come through."""
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def found(url: str, query: str) -> list[tuple[object, ...]]:
    """Rows after a command."""
    with psycopg.connect(url) as rows:
        return rows.execute(query).fetchall()


def test_an_outside_account_is_linked_once_and_taken_away_with_the_sessions_that_it_opened(
    people_url: str,
) -> None:
    users = user_commands(lambda: people_url)
    link = ("--issuer", ISSUER, "--subject", "3f0c")

    said(users, "link-outside", "an", *link)
    with pytest.raises(OutsideTakenError):
        said(users, "link-outside", "binh", *link)
    with pytest.raises(UserNotFoundError):
        said(users, "link-outside", "nobody", *link)
    kept = found(
        people_url,
        "SELECT username, issuer, subject FROM outside_identity"
        " INNER JOIN app_user ON app_user.id = outside_identity.user_id",
    )
    said(users, "unlink-outside", "an")
    said(users, "unlink-outside", "an")  # nothing is left to take away

    assert kept == [("an", ISSUER, "3f0c")]
    assert found(people_url, "SELECT subject FROM outside_identity") == []
    assert found(people_url, "SELECT proof FROM app_session") == [("password",)]
    written = found(
        people_url, "SELECT action, actor_kind, subject_id FROM audit_entry ORDER BY id"
    )
    assert written == [
        ("outside_account_linked", "command", "an"),
        ("outside_account_unlinked", "command", "an"),
    ]
    assert "3f0c" not in str(found(people_url, "SELECT * FROM audit_entry"))


def test_what_somebody_has_is_shown_and_forgotten_by_command(people_url: str) -> None:
    factors = second_factor_commands(lambda: people_url)

    before = said(factors, "show", "an")
    said(factors, "require", "clerk")
    roles = said(factors, "show")
    said(factors, "reset", "an", "--proof", "came in person with the staff card")
    after = said(factors, "show", "an")
    with pytest.raises(UserNotFoundError):
        said(factors, "show", "nobody")

    assert "security keys: 1\nrecovery codes left: 1\n" in before
    assert roles == "clerk\n"
    assert "security keys: 0\nrecovery codes left: 0\n" in after
    assert found(people_url, "SELECT id FROM security_key") == []
    assert found(people_url, "SELECT proof FROM app_session") == []
