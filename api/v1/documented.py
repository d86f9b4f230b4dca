# SPDX-License-Identifier: AGPL-3.0-or-later
"""Error answers for the OpenAPI document, with an example per stable code."""

from typing import Any, Final

from api.problems.problem import PROBLEM_MEDIA_TYPE, PROBLEM_TYPE_PREFIX
from api.v1.schemas import ProblemBody

_MEANINGS: Final = {
    "not-signed-in": (401, "Sign in first"),
    "key-unknown": (401, "No key of ours is written like this"),
    "key-expired": (401, "The key has expired"),
    "key-revoked": (401, "The key was revoked"),
    "too-many-requests": (429, "Too many requests; wait before the next one"),
    "login-refused": (401, "The user name or the password is wrong"),
    "login-delayed": (429, "Too many failed attempts; wait before the next one"),
    "first-password-expired": (
        401,
        "The first password has expired; ask an administrator for a new one",
    ),
    "second-factor-needed": (401, "Send a code to /v1/session/second-factor next"),
    "second-factor-refused": (401, "The code is wrong or was used before"),
    "login-step-ended": (401, "Sign in with name and password first"),
    "second-factor-off": (503, "This api has no key for second factors"),
    "cross-origin-request": (403, "Requests of other sites are refused"),
    "request-invalid": (422, "The request breaks the contract"),
    "filter-invalid": (422, "The search makes no sense"),
    "search-too-wide": (422, "The search takes too long; ask for less time or more of the plate"),
    "plate-pattern-invalid": (422, "A plate pattern has only letters, digits, ? and *"),
    "cursor-invalid": (422, "The cursor is not one of ours"),
    "precondition-needed": (428, "Send If-Match with the ETag of the version that you saw"),
    "precondition-failed": (412, "Somebody else changed this meanwhile; look at it again"),
    "idempotency-key-pending": (409, "The first request with this key is still being worked on"),
    "idempotency-key-reused": (422, "This key was used for another request"),
    "alert-not-found": (404, "No alert has this id"),
    "alert-state": (409, "The alert's state does not allow this"),
    "watchlist-entry-not-found": (404, "No entry of the watchlist has this id, or it was removed"),
    "watchlist-entry-invalid": (422, "A part of the watchlist entry is missing or wrong"),
    "webhook-not-found": (404, "No webhook of the caller has this id"),
    "webhook-invalid": (422, "A part of the webhook is missing or wrong"),
    "webhook-limit": (409, "There are as many as there may be"),
    "webhook-state": (409, "The webhook is not in the state that this needs"),
    "webhooks-off": (409, "This centre has no key for webhooks"),
    "permission-denied": (403, "The user's role does not allow this"),
    "vehicle-not-found": (404, "The registry knows no such vehicle"),
    "vehicle-ambiguous": (409, "Several vehicles bear this text; state the plate's colour"),
    "incident-not-found": (404, "No incident has this id"),
    "passage-not-found": (404, "No passage has this id"),
    "evidence-not-found": (404, "No picture has this hash"),
    "device-unknown": (404, "No device has this name"),
    "device-unauthorised": (401, "The device's name or secret is missing or wrong"),
    "province-not-yours": (404, "This key writes figures of another province, or of none"),
    "province-not-found": (404, "No province has this code"),
    "sheet-invalid": (422, "These figures can't be right"),
    "statement-not-found": (404, "Nothing was stated about this day"),
    "live-frame-not-found": (404, "This picture was not asked for, or has expired"),
    "invitation-refused": (401, "The invitation is unknown, used or expired"),
    "certificate-request-invalid": (422, "This is no certificate request with a key on P-256"),
    "authority-missing": (409, "This centre gives no certificates to devices"),
    "hash-mismatch": (409, "The body has another hash"),
    "body-too-large": (413, "The body is too large"),
    "length-required": (411, "Content-Length is needed"),
    "unsupported-media-type": (415, "This kind of body is not accepted here"),
    "not-a-jpeg": (415, "The body is no JPEG picture"),
    "database-unavailable": (503, "The database can't be reached; try again"),
}

_OF_KEYS: Final = ("key-unknown", "key-expired", "key-revoked", "too-many-requests")
"""What every address that wants to know its caller answers to a program's key."""

Responses = dict[int | str, dict[str, Any]]
"""FastAPI's own type for documented answers, whose values are free JSON."""


def problems(*codes: str) -> Responses:
    """Documentation of the errors that an address may answer with."""
    responses: Responses = {}
    of_keys = _OF_KEYS if "not-signed-in" in codes else ()
    for code in (*codes, *of_keys):
        status, title = _MEANINGS[code]
        response = responses.setdefault(
            status,
            {
                "model": ProblemBody,
                "description": "",
                "content": {PROBLEM_MEDIA_TYPE: {"examples": {}}},
            },
        )
        response["description"] = "; ".join(filter(None, (response["description"], title)))
        response["content"][PROBLEM_MEDIA_TYPE]["examples"][code] = {
            "value": {
                "type": f"{PROBLEM_TYPE_PREFIX}{code}",
                "title": title,
                "status": status,
                "code": code,
                "request_id": "4bf92f3577b34da6",
            }
        }
    return responses
