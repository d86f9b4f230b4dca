# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words about devices, their messages and what people do with them."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "quarantine_reasons": {
            "not_json": _("Not readable at all"),
            "contract_broken": _("Not in the agreed form"),
            "too_big": _("Too big"),
            "topic_unknown": _("Unknown topic"),
            "topic_mismatch": _("Says another sender than its topic"),
            "unknown_device": _("Unknown device"),
            "device_disabled": _("Device switched off"),
            "site_mismatch": _("Device belongs to another site"),
            "unknown_camera": _("Unknown camera"),
            "time_in_future": _("Time lies in the future"),
            "time_too_old": _("Time is too long ago"),
            "seq_reused": _("Number used twice"),
            "id_reused": _("Identity used twice"),
            "too_many_gaps": _("Too many gaps before it"),
            "refused_by_database": _("Refused by the database"),
        },
        "quarantine_details": {
            "not a topic of a device": _("not a topic of a device"),
            "this stream goes out only": _("this stream goes out only"),
            "device of another topic": _("device of another topic"),
            "site of another topic": _("site of another topic"),
            "heartbeat of another": _("heartbeat of another device"),
            "not JSON": _("not JSON"),
        },
        "gap_explanations": {
            "in_outbox": _("Still in the device's outbox"),
            "offline": _("The device is offline"),
            "quarantined": _("In quarantine"),
            "discarded": _("Discarded with a reason"),
            "lost": _("Lost"),
        },
        "gap_losses": {
            "forgotten": _("the device says that it has them no more"),
            "outbox_replaced": _("the device has another outbox by now"),
            "overdue": _("missed for longer than an outbox keeps events"),
        },
        "reader_states": {
            "starting": _("Starting"),
            "running": _("Running"),
            "lost": _("Connection lost"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "device-unknown": ErrorWords(
            title=_("This device does not exist"),
            advice=_("It may have another name, or lie outside of your area."),
        ),
        "statement-not-found": ErrorWords(
            title=_("Nothing was stated about this day"),
            advice=_("Statements are made after midnight, for the day before."),
        ),
        "live-frame-not-found": ErrorWords(
            title=_("This picture is gone"),
            advice=_("Somebody else asked for it, it has expired, or its camera is off."),
        ),
        "too-many-live-frames": ErrorWords(
            title=_("Too many live pictures are open"),
            advice=_("Wait a few minutes until the open ones have expired."),
        ),
        "quarantined-message-not-found": ErrorWords(
            title=_("This message is no longer in quarantine"),
            advice=_("It was stored or dropped meanwhile, or lies outside of your area."),
        ),
    }
