# SPDX-License-Identifier: AGPL-3.0-or-later
"""A receiver believes a message that was signed with its secret, now, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from api.client.webhooks import REPLAY_WINDOW, WebhookRefusedError, verified
from central.webhooks.signing import fresh_salt, secret_of, signed_headers, written

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
EVENT_ID: Final = UUID("0d5b0c9e-7a43-4f0e-9d0c-0f2f6a9f3b11")
BODY: Final = json.dumps({"id": str(EVENT_ID), "type": "webhook.test"}).encode()
NEW, OLD = (secret_of("key of the centre", fresh_salt()) for _ in range(2))


def headers_of(*secrets: bytes, sent_at: datetime = NOW) -> dict[str, str]:
    """Headers as the centre sends them."""
    signed = signed_headers(BODY, event_id=EVENT_ID, sent_at=sent_at, signing_secrets=secrets)
    return dict(signed)


def reason_of(body: bytes, headers: dict[str, str], secret: bytes = NEW) -> str:
    """Why a message is refused."""
    with pytest.raises(WebhookRefusedError) as refused:
        verified(body, headers, [written(secret)], now=NOW)
    return refused.value.reason


def test_the_published_example_of_the_scheme_is_believed() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    sent_at = datetime.fromtimestamp(1614265330, UTC)

    # The signature and the time are right; only a message of ours repeats its id in the body.
    with pytest.raises(WebhookRefusedError, match="body"):
        verified(b'{"test": 2432232314}', headers, [secret], now=sent_at)
    with pytest.raises(WebhookRefusedError, match="signature"):
        verified(b'{"test": 2432232315}', headers, [secret], now=sent_at)


def test_a_message_is_believed_by_the_new_and_by_the_old_secret_while_both_sign() -> None:
    headers = {name.title(): value for name, value in headers_of(NEW, OLD).items()}

    by_new = verified(BODY, headers, [written(NEW)], now=NOW)
    by_old = verified(BODY, headers, [written(OLD)], now=NOW)
    by_either = verified(BODY, headers_of(OLD), [written(NEW), written(OLD)], now=NOW)

    assert by_new == by_old == by_either == json.loads(BODY)


def test_a_message_is_refused_when_a_byte_its_id_or_its_time_was_changed() -> None:
    headers = headers_of(NEW)
    later = headers | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}

    assert reason_of(BODY + b" ", headers) == "signature"
    assert reason_of(BODY, headers | {"webhook-id": str(UUID(int=1))}) == "signature"
    assert reason_of(BODY, later) == "signature"
    assert reason_of(BODY, headers, OLD) == "signature"
    assert reason_of(BODY, headers | {"webhook-signature": "v1, v1a,x"}) == "signature"


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_message_that_is_played_again_after_the_window_is_refused(direction: int) -> None:
    at_the_edge = NOW + direction * REPLAY_WINDOW
    beyond = at_the_edge + direction * timedelta(seconds=1)

    believed = verified(BODY, headers_of(NEW, sent_at=at_the_edge), [written(NEW)], now=NOW)

    assert believed["id"] == str(EVENT_ID)
    assert reason_of(BODY, headers_of(NEW, sent_at=beyond)) == "time"


def test_a_message_without_its_headers_or_with_a_foreign_body_is_refused() -> None:
    foreign = b'{"id": "another"}'
    signed = dict(signed_headers(foreign, event_id=EVENT_ID, sent_at=NOW, signing_secrets=[NEW]))

    assert reason_of(BODY, {}) == "incomplete"
    assert reason_of(BODY, headers_of(NEW) | {"webhook-timestamp": "now"}) == "incomplete"
    assert reason_of(foreign, signed) == "body"
    with pytest.raises(ValueError, match="whsec_"):
        verified(BODY, headers_of(NEW), ["no secret!"], now=NOW)
