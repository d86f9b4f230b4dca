# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the page about ``/v1``: operations, groups, parameters and errors."""

from collections.abc import Mapping

from api.public.labels import Translate


def group_words(_: Translate) -> Mapping[str, str]:
    """Titles of groups by the document's tag."""
    return {
        "alerts": _("Alerts"),
        "incidents": _("Incidents"),
        "roads": _("Sites and devices"),
        "devices": _("For devices"),
        "national": _("Figures of provinces"),
        "evidence": _("Pictures"),
        "health": _("Health"),
        "registry": _("Vehicles and papers"),
        "passages": _("Passages"),
        "session": _("Sessions of people"),
        "watchlist": _("Watchlist"),
        "webhooks": _("Webhooks"),
    }


def operation_words(_: Translate) -> Mapping[str, tuple[str, str]]:
    """Title and explanation of every operation by its id."""
    return {
        **_operations_of_roads(_),
        **_operations_of_completeness(_),
        **_operations_of_provinces(_),
        **_operations_of_papers(_),
        **_operations_of_webhooks(_),
    }


def parameter_words(_: Translate) -> Mapping[str, str]:
    """Explanation of every parameter by its name in small letters."""
    return {
        "authorization": _("Device, a space, name and secret of the device with a colon between."),
        "idempotency-key": _(
            "Any text that names this one change. The same request with the same key within "
            "24 hours changes nothing and is given the first answer again."
        ),
        "alert_id": _("Id of the alert."),
        "incident_id": _("Id of the incident."),
        "kind": _("Only of this kind; may be repeated."),
        "site_id": _("Only at this site."),
        "cursor": _("next_cursor of the page before."),
        "day": _("The day, in Vietnam."),
        "device_id": _("Id of the device."),
        "entry_id": _("Id of the entry."),
        "frame_id": _("Id of the picture that was asked for."),
        "if-match": _("The ETag of the version that you saw. Another version is refused with 412."),
        "hour": _("Beginning of the hour, in UTC."),
        "page_size": _("Most rows of the page."),
        "province": _("Code of the province."),
        "passage_id": _("Id of the passage."),
        "revision": _("Which statement about the day; the newest when absent."),
        "rule": _("Only alerts of this rule."),
        "sha256": _("Hex SHA-256 of the picture."),
        "state": _("Only in this state; may be repeated."),
        "vehicle_id": _("Only about this vehicle."),
        "webhook_id": _("Id of the webhook."),
    }


def problem_titles(_: Translate) -> Mapping[str, str]:
    """What every error means, by its code."""
    return {
        "not-signed-in": _("Sign in first"),
        "province-not-yours": _("This key writes figures of another province, or of none"),
        "province-not-found": _("No province has this code"),
        "sheet-invalid": _("These figures can't be right"),
        "key-unknown": _("No key of ours is written like this"),
        "key-expired": _("The key has expired"),
        "key-revoked": _("The key was revoked"),
        "too-many-requests": _("Too many requests; wait before the next one"),
        "login-refused": _("The user name or the password is wrong"),
        "login-delayed": _("Too many failed attempts; wait before the next one"),
        "first-password-expired": _(
            "The first password has expired; ask an administrator for a new one"
        ),
        "second-factor-needed": _("A code of the second factor comes next"),
        "second-factor-refused": _("The code is wrong or was used before"),
        "second-factor-off": _("This centre has no key for second factors"),
        "login-step-ended": _("Too late for the code; begin with name and password"),
        "cross-origin-request": _("Requests of other sites are refused"),
        "request-invalid": _("The request breaks the contract"),
        "filter-invalid": _("The search makes no sense"),
        "search-too-wide": _("The search takes too long; ask for less time or more of the plate"),
        "plate-pattern-invalid": _("A plate pattern has only letters, digits, ? and *"),
        "cursor-invalid": _("The cursor is not one of ours"),
        "precondition-needed": _("Send If-Match with the ETag of the version that you saw"),
        "precondition-failed": _("Somebody else changed this meanwhile; look at it again"),
        "idempotency-key-pending": _("The first request with this key is still being worked on"),
        "idempotency-key-reused": _("This key was used for another request"),
        "incident-not-found": _("No incident has this id"),
        "alert-not-found": _("No alert has this id"),
        "alert-state": _("The alert's state does not allow this"),
        "watchlist-entry-not-found": _("No entry of the watchlist has this id, or it was removed"),
        "watchlist-entry-invalid": _("A part of the watchlist entry is missing or wrong"),
        "webhook-not-found": _("No webhook of the caller has this id"),
        "webhook-invalid": _("A part of the webhook is missing or wrong"),
        "webhook-limit": _("There are as many as there may be"),
        "webhook-state": _("The webhook is not in the state that this needs"),
        "webhooks-off": _("This centre has no key for webhooks"),
        "permission-denied": _("The user's role or the key does not allow this"),
        "vehicle-not-found": _("The registry knows no such vehicle"),
        "vehicle-ambiguous": _("Several vehicles bear this text; state the plate's colour"),
        "passage-not-found": _("No passage has this id"),
        "evidence-not-found": _("No picture has this hash"),
        "device-unknown": _("No device has this name"),
        "device-unauthorised": _("The device's name or secret is missing or wrong"),
        "statement-not-found": _("Nothing was stated about this day"),
        "live-frame-not-found": _("This picture was not asked for, or has expired"),
        "invitation-refused": _("The invitation is unknown, used or expired"),
        "certificate-request-invalid": _("This is no certificate request with a key on P-256"),
        "authority-missing": _("This centre gives no certificates to devices"),
        "hash-mismatch": _("The body has another hash"),
        "body-too-large": _("The body is too large"),
        "length-required": _("Content-Length is needed"),
        "unsupported-media-type": _("This kind of body is not accepted here"),
        "not-a-jpeg": _("The body is no JPEG picture"),
        "database-unavailable": _("The database can't be reached; try again"),
    }


def _operations_of_roads(_: Translate) -> Mapping[str, tuple[str, str]]:
    """What is seen on the roads, and by which devices."""
    return {
        "list_alerts": (
            _("List alerts"),
            _("One page of alerts, the most recently sighted first."),
        ),
        "get_alert": (
            _("One alert"),
            _("An alert with its newest sightings; the look is written to the audit log."),
        ),
        "list_incidents": (
            _("List incidents"),
            _(
                "One page of incidents as they stand, open ones first, then the newest; without a "
                "day those of the last 31 days."
            ),
        ),
        "get_incident": (
            _("One incident"),
            _("An incident with everything that was told of it, and where its pictures are."),
        ),
        "acknowledge_alert": (_("Take an alert on"), _("Say that one looks after an open alert.")),
        "close_alert": (
            _("Close an alert"),
            _("End an alert with a reason; the next sighting opens a new one."),
        ),
        "list_devices": (
            _("List devices"),
            _("One page of devices with how they were when last heard of, by id."),
        ),
        "get_device": (_("One device"), _("A device with how it was when last heard of.")),
        "get_evidence": (
            _("A picture"),
            _(
                "A picture, if a passage that the caller may see names it; the look is written "
                "down."
            ),
        ),
        "put_evidence": (
            _("Store a picture"),
            _("A device stores a picture; sending it again is harmless."),
        ),
        "put_live_frame": (
            _("Send a picture of now"),
            _("Takes the picture that this device was asked for, once and in time."),
        ),
        "search_passages": (
            _("Search passages"),
            _("One page of passages, newest first; page on with next_cursor."),
        ),
        "find_alike_plates": (
            _("Find look-alike plates"),
            _("Plates that fit a pattern or are easily read for one that does, likeliest first."),
        ),
        "find_companions": (
            _("Find vehicles seen together"),
            _("Vehicles seen together with one at three sites or more, most sites first."),
        ),
        "get_passage": (
            _("One passage"),
            _("A passage with everything that the device told, and where its pictures are."),
        ),
        "list_sites": (_("List sites"), _("One page of the sites that the caller may see, by id.")),
    }


def _operations_of_completeness(_: Translate) -> Mapping[str, tuple[str, str]]:
    """Captured = stored, by device and by day, and what was stated about it."""
    return {
        "get_completeness": (
            _("Completeness of a device"),
            _("What the centre holds of every outbox of a device: first, last, missing, doubled."),
        ),
        "get_day_completeness": (
            _("Completeness of a day"),
            _(
                "For every device: which numbers became due on the day, how many are stored, and "
                "why the others are not. The ETag changes when anything on the page does; sent as "
                "If-None-Match, it is answered 304 until then."
            ),
        ),
        "list_statements": (
            _("Statements about days"),
            _("One page of the daily statements, the newest day and revision first."),
        ),
        "get_statement": (
            _("The signed statement about a day"),
            _(
                "The file as it was signed, byte by byte; luuthong-central completeness verify "
                "proves it. Only for keys that see the whole province."
            ),
        ),
        "get_statement_paper": (
            _("The statement as a paper"),
            _("The same statement as a signed PDF, with the hash of the file."),
        ),
    }


def _operations_of_provinces(_: Translate) -> Mapping[str, tuple[str, str]]:
    """Figures of provinces at a national centre."""
    return {
        "put_national_traffic": (
            _("Hand up an hour of traffic"),
            _(
                "All sites of the caller's own province at once. The same again changes nothing, "
                "and an older version never replaces a newer one."
            ),
        ),
        "put_national_tolls": (
            _("Hand up a day of tolls"),
            _("The sums of all stations of the caller's own province whose day is closed."),
        ),
        "put_national_completeness": (
            _("Hand up a day's completeness"),
            _("What the caller's own province stated about the day: captured = stored."),
        ),
        "list_national_provinces": (
            _("List provinces"),
            _("One page of provinces by code, each with its figures of one day."),
        ),
        "list_national_days": (
            _("List a province's days"),
            _("One page of days of which anything is held, the newest first."),
        ),
    }


def _operations_of_webhooks(_: Translate) -> Mapping[str, tuple[str, str]]:
    """Receivers that are told what happened."""
    return {
        "list_webhooks": (
            _("List webhooks"),
            _("The webhooks of the caller's own, by name, with how telling them goes."),
        ),
        "add_webhook": (
            _("Register a webhook"),
            _(
                "The secret that signs the messages is told this once; the same request again "
                "with the same key is answered without it."
            ),
        ),
        "get_webhook": (
            _("One webhook"),
            _("A webhook, with the ETag that changing it needs."),
        ),
        "renew_webhook_secret": (
            _("Make a new secret"),
            _("Messages are signed with the old secret, too, for seven days."),
        ),
        "test_webhook": (
            _("Test a webhook"),
            _("Send a message that says nothing but that it is a test."),
        ),
        "remove_webhook": (_("Remove a webhook"), _("Nothing is sent to it any more.")),
    }


def _operations_of_papers(_: Translate) -> Mapping[str, tuple[str, str]]:
    """Vehicles, papers, watchlist, sessions and devices that enrol."""
    return {
        "enrol": (
            _("Enrol a device"),
            _("Use an invitation up for the device's first certificate and a new secret."),
        ),
        "renew": (
            _("Renew a certificate"),
            _(
                "A further certificate, for a device that has its secret and the key of its "
                "present one."
            ),
        ),
        "health": (
            _("Health"),
            _("200 when everything that this process needs is there, otherwise 503."),
        ),
        "check_licence": (
            _("Check a driving licence"),
            _(
                "Whether a driver may drive a vehicle on a day: yes, no or unknown, with every "
                "ground."
            ),
        ),
        "check_permit": (
            _("Check a border permit"),
            _(
                "Whether a vehicle may cross a border on a day: yes, no or unknown, with every "
                "ground."
            ),
        ),
        "end_session": (
            _("Sign out"),
            _("Ends the session of the cookie; without one there is nothing to do."),
        ),
        "open_session": (
            _("Sign in"),
            _("Opens a session of a person; programs send a key instead."),
        ),
        "open_session_with_code": (
            _("Sign in, second step"),
            _("Opens the session of somebody whose password was right, by a code."),
        ),
        "look_up_vehicle": (
            _("Look a vehicle up"),
            _(
                "Everything about one vehicle; the look is written to the audit log with its "
                "purpose."
            ),
        ),
        "add_to_watchlist": (
            _("Add to the watchlist"),
            _("Puts a plate on the list. The same plate may stand on it for several reasons."),
        ),
        "search_watchlist": (
            _("Search the watchlist"),
            _(
                "One page of the list, newest first; a search for a plate is written to the "
                "audit log."
            ),
        ),
        "remove_from_watchlist": (
            _("Remove from the watchlist"),
            _("Takes a plate off the list; the entry's history and its alerts stay."),
        ),
    }
