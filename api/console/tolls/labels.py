# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the toll."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "crossing_states": {
            "waiting": _("Waiting for its other half"),
            "charged": _("Charged"),
            "exempt": _("Exempt"),
            "refused": _("Charge refused"),
            "review": _("To be decided"),
            "waived": _("Waived"),
        },
        "toll_reasons": _reasons(_) | _waivers(_) | _refunds(_),
        "waiver_reasons": _waivers(_),
        "refund_reasons": _refunds(_),
        "toll_facts": _facts(_),
        "fact_sources": {
            "camera": _("Camera"),
            "reader": _("Tag reader"),
            "ledger": _("Ledger"),
            "luuthong": _("Compared by the system"),
            "seats_not_known": _("The registry does not know the seats"),
            "payload_not_known": _("The registry does not know the payload"),
            "kind_has_no_group": _("This kind of vehicle has no toll group"),
            "no_rule_in_force": _("No rule is in force on that day"),
        },
        "fact_values": {
            "yes": _("Yes"),
            "no": _("No"),
            "open": _("Account open"),
            "locked": _("Account locked"),
            "closed": _("Account closed"),
            "fits": _("Fits"),
            "not_seen": _("Not seen"),
            "differs": _("Differs"),
            "differs_unsurely": _("Differs, but the camera is not sure"),
            "tractor": _("Tractor unit"),
            "trailer": _("Trailer"),
            "four_wheeler": _("Four-wheeled motor vehicle"),
            "special_machine": _("Special machine"),
            "car": _("Car"),
            "motorcycle": _("Motorcycle"),
            "bus": _("Bus"),
            "truck": _("Truck"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "toll-crossing-not-found": ErrorWords(
            title=_("This toll crossing does not exist"),
            advice=_("It may have been joined with another one. Look for it in the list."),
        ),
        "toll-crossing-not-in-review": ErrorWords(
            title=_("This crossing has been decided already"),
            advice=_("Nothing was changed by you. Open it again to see who decided what."),
        ),
        "toll-crossing-not-charged": ErrorWords(
            title=_("Nothing was charged for this crossing"),
            advice=_("There is nothing to give back. Open it again to see how it stands."),
        ),
        "toll-already-refunded": ErrorWords(
            title=_("This charge has been given back already"),
            advice=_("Nothing was changed by you. Open it again to see who decided what."),
        ),
        "toll-account-not-found": ErrorWords(
            title=_("No traffic account has this number"),
            advice=_("Nothing was charged. Check the number and try again."),
        ),
        "toll-account-locked": ErrorWords(
            title=_("This traffic account is locked or closed"),
            advice=_("Nothing was charged. Choose another account, or waive the crossing."),
        ),
        "toll-tariff-missing": ErrorWords(
            title=_("This station has no price for this group on that day"),
            advice=_("Nothing was charged. Have the price entered first."),
        ),
    }


def _reasons(_: Translate) -> dict[str, str]:
    return {
        "no_tag": _("No tag was read"),
        "no_passage": _("No vehicle was seen with the tag"),
        "tag_unknown": _("The tag belongs to no account"),
        "tag_on_two_accounts": _("The tag is on two accounts"),
        "wrong_tag": _("The tag belongs to another vehicle"),
        "plate_unsure": _("The plate was not read surely"),
        "plate_not_registered": _("The tag's vehicle has no plate in the registry"),
        "group_unknown": _("The toll group is not known"),
        "class_mismatch": _("The camera saw another kind of vehicle"),
        "no_tariff": _("No price is in force"),
        "account_locked": _("The account is locked or closed"),
        "balance_too_low": _("The balance is too low"),
        "priority": _("Priority vehicle"),
        "free_of_charge": _("Free of charge"),
    }


def _waivers(_: Translate) -> dict[str, str]:
    return {
        "reading_wrong": _("Misread by camera or reader"),
        "same_vehicle_twice": _("The same vehicle was recorded twice"),
        "not_tolled": _("This vehicle pays no toll"),
        "paid_otherwise": _("Paid in another way"),
        "equipment_fault": _("Fault of the equipment"),
    }


def _refunds(_: Translate) -> dict[str, str]:
    return {
        "wrong_vehicle": _("Charged to the wrong vehicle"),
        "wrong_group": _("Charged for the wrong toll group"),
        "charged_twice": _("Charged twice"),
        "vehicle_exempt": _("The vehicle is exempt"),
        "complaint_upheld": _("A complaint was upheld"),
    }


def _facts(_: Translate) -> dict[str, str]:
    return {
        "plate_read": _("Plate read"),
        "plate_confidence": _("Confidence of the plate"),
        "class_seen": _("Vehicle seen"),
        "class_confidence": _("Confidence of the vehicle"),
        "tag_epc": _("Tag (EPC)"),
        "account": _("Traffic account"),
        "account_state": _("State of the account"),
        "plate_registered": _("Plate of the tag's vehicle"),
        "vehicle_kind": _("Registered kind"),
        "seats": _("Seats"),
        "payload_kg": _("Payload (kg)"),
        "container_ft": _("Container (ft)"),
        "is_public_bus": _("Public bus"),
        "toll_group": _("Toll group"),
        "class_against_registry": _("Seen against registered"),
        "price_dong": _("Price"),
        "balance_dong": _("Balance of the account"),
    }
