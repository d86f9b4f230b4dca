# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of vehicle control: rules, states, facts, reasons."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "alert_rules": {
            "watchlisted": _("On the watchlist"),
            "yellow_without_badge": _("Yellow plate without a badge"),
            "badge_expired": _("Badge expired or revoked"),
            "inspection_expired": _("Inspection expired"),
            "white_with_badge": _("White plate with a badge"),
        },
        "alert_severities": {
            "high": _("High"),
            "medium": _("Medium"),
            "low": _("Low"),
        },
        "alert_views": {
            "open": _("New"),
            "acknowledged": _("Being handled"),
            "closed": _("Closed"),
            "late": _("Sent late, no alert"),
        },
        "alert_states": {
            "open": _("New"),
            "acknowledged": _("Being handled"),
            "closed": _("Closed"),
        },
        "closing_reasons": {
            "vehicle_stopped": _("Vehicle stopped and checked"),
            "case_opened": _("Violation case opened"),
            "handed_over": _("Handed over to another unit"),
            "papers_shown": _("Driver showed valid papers"),
            "misread_plate": _("The plate was misread"),
            "wrong_facts": _("The registry's facts were wrong"),
            "ended_by_dossier": _("Ended by a dossier"),
        },
        "fact_names": {
            "reading_confidence": _("Confidence of the reading"),
            "plate_colour": _("Colour that the camera saw"),
            "registered_colour": _("Registered colour"),
            "vehicle_kind": _("Kind of vehicle"),
            "badge_number": _("Badge"),
            "badge_valid_until": _("Badge valid before"),
            "badge_revoked_on": _("Badge revoked on"),
            "inspected_until": _("Inspected until"),
            "watch_reason": _("Looked for because"),
            "listed_by": _("Put on the list by"),
        },
        "fact_kinds": {
            "car": _("Car"),
            "bus": _("Bus"),
            "truck": _("Truck"),
            "tractor": _("Tractor unit"),
            "trailer": _("Trailer"),
            "motorcycle": _("Motorcycle"),
            "four_wheeler": _("Four-wheel motor vehicle"),
            "special_machine": _("Special machine"),
        },
        "watch_reasons": {
            "stolen": _("Stolen vehicle"),
            "wanted_in_case": _("Wanted in a case"),
            "suspected_fake_plate": _("Suspected fake plate"),
            "unpaid_penalty": _("Unpaid penalty"),
            "agency_request": _("Request of another agency"),
        },
        "watch_states": {
            "holding": _("In force"),
            "ended": _("Ended or removed"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "alert-not-found": ErrorWords(
            title=_("This alert does not exist"),
            advice=_("Go back to the list of alerts."),
        ),
        "alert-state": ErrorWords(
            title=_("This alert can't be changed that way any more"),
            advice=_("Open it again and look at its state."),
        ),
        "watchlist-entry-not-found": ErrorWords(
            title=_("This entry of the watchlist does not exist"),
            advice=_("It may have been removed by somebody else."),
        ),
        "watchlist-entry-invalid": ErrorWords(
            title=_("A part of the entry is missing or wrong"),
            advice=_("Go back and fill in the form again."),
        ),
    }
