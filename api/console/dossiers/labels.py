# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the dossiers; what a procedure names itself stands in its own file."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "dossier_states": {
            "received": _("In progress"),
            "supplement_requested": _("Waiting for a supplement"),
            "approved": _("Approved"),
            "rejected": _("Rejected"),
            "withdrawn": _("Withdrawn"),
            "returned": _("Result handed over"),
        },
        "dossier_actions": {
            "take_in": _("Taken in"),
            "request_supplement": _("Supplement asked for"),
            "receive_supplement": _("Supplement received"),
            "approve": _("Approved"),
            "reject": _("Rejected"),
            "withdraw": _("Withdrawn"),
            "hand_over": _("Result handed over"),
        },
        "dossier_channels": {
            "counter": _("At the counter"),
            "online": _("Online"),
            "post": _("By post"),
        },
        "paper_forms": {
            "original": _("Original"),
            "copy": _("Copy"),
            "electronic": _("Electronic"),
        },
        "document_kinds": {
            "receipt": _("Receipt with the appointment"),
            "supplement": _("Request for a supplement"),
            "rejection": _("Letter of rejection"),
            "badge": _("Badge"),
            "permit": _("Border permit"),
        },
        "signature_states": {
            "good": _("Unchanged since it was signed; the signer is trusted"),
            "broken": _("Damaged or changed after it was signed: do not rely on it"),
            "untrusted": _("Unchanged, but its signer is not trusted"),
            "unchecked": _("Signature not checked here"),
        },
        "guard_names": _guards(_),
        "guard_values": _values(_),
        "guard_outcomes": {
            "holds": _("In order"),
            "fails": _("Not in order"),
            "unknown": _("Not known"),
            "later": _("Not yet"),
        },
    }


def _guards(_: Translate) -> Mapping[str, str]:
    """What is looked at for an act; one without words is shown by its code."""
    return {
        "plate_is_yellow": _("The vehicle bears a yellow plate"),
        "kind_fits_vehicle": _("The kind asked for fits the vehicle"),
        "within_lifetime": _("The vehicle may still serve"),
        "no_overlapping_badge": _("No other badge holds in these days"),
        "badge_held": _("The vehicle has a badge"),
        "inspection_valid": _("The inspection holds"),
        "decided_by_another": _("Who decides is not who took it in"),
        "supplement_notice_in_time": _("The supplement was asked for in time"),
        "first_supplement": _("The supplement is the first one"),
        "permit_kind_in_force": _("The law has a permit for this use"),
        "transport_licence_valid": _("The applicant's transport licence holds"),
        "no_overlapping_permit": _("No other permit of this kind holds in these days"),
        "badge_granted": _("Badge granted"),
        "permit_granted": _("Permit granted"),
    }


def _values(_: Translate) -> Mapping[str, str]:
    """What guards see; one without words is shown by its code."""
    return {
        "plate_colour": _("Colour of the plate"),
        "plate_text": _("Plate"),
        "vehicle_kind": _("Kind of vehicle"),
        "seats": _("Seats with the driver's"),
        "manufactured_in": _("Year of manufacture"),
        "lifetime_years": _("Years that it may serve"),
        "valid_from": _("Holds from"),
        "valid_until": _("Holds before"),
        "badge_number": _("Badge"),
        "badge_kind": _("Kind of badge"),
        "badge_valid_until": _("Badge valid before"),
        "inspected_until": _("Inspected until"),
        "permit_number": _("Permit"),
        "permit_kind": _("Kind of permit"),
        "permit_valid_until": _("Permit valid before"),
        "trip_days_max": _("Days of a trip, at most"),
        "transport_licence_number": _("Transport licence"),
        "transport_licence_valid_until": _("Transport licence valid before"),
        "chassis_number": _("Chassis number"),
        "brand": _("Brand"),
        "taken_in_by": _("Taken in by"),
        "decided_by": _("Decides"),
        "ask_until": _("To be asked for until"),
        "working_days": _("Working days"),
        "supplements": _("Supplements asked for"),
    }


def field_problems(_: Translate) -> Mapping[str, str]:
    """What is wrong with a field of the taking in."""
    return {
        "submitted_by": _("Write who hands the dossier in, at most 200 letters."),
        "contact_phone": _("A phone number has 8 to 16 digits."),
        "contact_email": _("An e-mail address looks like name@domain."),
        "channel": _("Choose how the dossier came in."),
        "applicant_number": _("The registry knows nobody with this number."),
        "papers": _("This procedure does not accept a paper in this form."),
        "unprintable": _("A text holds characters that can't be printed."),
        "choice": _("Choose one."),
        "number": _("Write a whole number from %(min)s to %(max)s."),
        "reason": _("Write the reason, at most 1000 letters."),
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "dossier-not-found": ErrorWords(
            title=_("No dossier has this code"),
            advice=_("Compare the code with the receipt, or look for it in the list."),
        ),
        "procedure-not-found": ErrorWords(
            title=_("This procedure is not in force"),
            advice=_("Choose another procedure, or have its file loaded on the server."),
        ),
        "dossier-request-invalid": ErrorWords(
            title=_("What is asked for does not fit the procedure"),
            advice=_("Nothing was changed. Go back and fill in the form again."),
        ),
        "calendar-not-covered": ErrorWords(
            title=_("The official calendar does not reach the appointment"),
            advice=_("Nothing was changed. Have the calendar of the next year loaded."),
        ),
        "calendar-missing": ErrorWords(
            title=_("No official calendar was loaded"),
            advice=_("Appointments can't be counted. Have it loaded on the server."),
        ),
        "serials-used-up": ErrorWords(
            title=_("No dossier number is left for today"),
            advice=_("A day has 9999 numbers. Take the dossier in tomorrow."),
        ),
        "document-not-found": ErrorWords(
            title=_("This paper has not been made"),
            advice=_("Open the dossier again to see which papers there are."),
        ),
    }
