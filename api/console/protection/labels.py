# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of data protection."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "protection_rules": {
            "volume_own": _("Many more looks than this person usually"),
            "volume_role": _("Many more looks than this role usually"),
            "outside_hours": _("Looks outside of hours"),
            "relative": _("Look at a relative's plate"),
            "no_case": _("Same vehicle again and again without a case"),
        },
        "protection_parameters": {
            "times": _("Times the median"),
            "at_least": _("At least so many looks"),
            "from_hour": _("From this hour on"),
            "until_hour": _("Until this hour"),
            "days": _("Within days"),
        },
        "finding_states": {
            "open": _("Open finding"),
            "explained": _("Explained"),
            "escalated": _("Passed on"),
        },
        "data_request_kinds": {
            "access": _("See the data"),
            "correction": _("Correct the data"),
            "erasure": _("Erase the data"),
            "restriction": _("Restrict the use"),
        },
        "data_request_states": {
            "received": _("Request received"),
            "acknowledged": _("Receipt confirmed"),
            "done": _("Answered"),
            "refused": _("Request refused"),
        },
    } | _keeping_words(_)


def _keeping_words(_: Translate) -> dict[str, Mapping[str, str]]:
    """Words about what is kept and what was erased."""
    return {
        "retained_data": {
            "unmatched": _("Passages and tag reads that nothing keeps"),
            "matched": _("Passages that the automatic control matched"),
            "pursued": _("Passages of alerts that led to action, from the closing on"),
            "toll": _("Passages and tag reads of toll crossings"),
            "pictures": _("Pictures of passages"),
            "traffic_counts": _("Counts of traffic, without plates"),
            "alerts_matched": _("Alerts that led to no action, from the closing on"),
            "alerts_pursued": _("Alerts that led to action, from the closing on"),
            "quarantine": _("Messages in quarantine, once they were stored or dropped"),
            "live_feed": _("Feed of the live pages"),
            "heartbeats": _("Heartbeats of devices"),
            "sessions": _("Sessions of users"),
            "audit_log": _("Audit log"),
            "ledger": _("Ledger and toll crossings"),
            "dossiers": _("Dossiers and papers"),
            "registry": _("Copy of the vehicle register"),
            "data_requests": _("Requests of citizens about their data"),
        },
        "kept_data": {
            "passages": _("Passages"),
            "tag_reads": _("Tag reads"),
            "alerts": _("Alerts"),
            "quarantine": _("Messages in quarantine"),
        },
        "erasure_ways": {
            "dropped": _("as a whole span"),
            "deleted": _("row by row"),
        },
        "kept_purposes": {
            "unmatched": _("nothing but age"),
            "matched": _("automatic control"),
            "pursued": _("evidence"),
            "toll": _("toll"),
            "settled": _("settled message"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "finding-not-open": ErrorWords(
            title=_("This finding is not open to you"),
            advice=_("Somebody decided it before, or it is about yourself."),
        ),
        "rule-invalid": ErrorWords(
            title=_("A part is missing or out of bounds"),
            advice=_("Nothing was changed. Go back and check the numbers and the reason."),
        ),
        "relatives-not-set-up": ErrorWords(
            title=_("Relatives' plates are not set up"),
            advice=_("The administrator has to set a key file first."),
        ),
        "relative-invalid": ErrorWords(
            title=_("There is no such official, or this is no plate"),
            advice=_("Nothing was changed. Go back and check both fields."),
        ),
        "data-request-not-found": ErrorWords(
            title=_("This request does not exist"),
            advice=_("Check the code, or choose it from the list."),
        ),
        "data-request-invalid": ErrorWords(
            title=_("A part of the request is missing or wrong"),
            advice=_("Nothing was changed. Go back and check the fields."),
        ),
        "erasure-record-not-found": ErrorWords(
            title=_("There is no such erasure"),
            advice=_("Choose it from the list of what was erased by date."),
        ),
        "data-request-state": ErrorWords(
            title=_("The request does not allow this now"),
            advice=_("It may have ended meanwhile. Open it again."),
        ),
    }
