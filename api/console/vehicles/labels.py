# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the registry's pages."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "vehicle_parts": {
            "all": _("Everything"),
            "papers": _("Papers"),
            "passages": _("Passages"),
            "alerts": _("Alerts"),
            "tolls": _("Toll crossings"),
            "dossiers": _("Dossiers"),
            "watchlist": _("Watchlist"),
        },
        "vehicle_kinds": {
            "car": _("Passenger car"),
            "bus": _("Bus or coach"),
            "truck": _("Goods truck"),
            "tractor": _("Tractor unit"),
            "trailer": _("Trailer"),
            "motorcycle": _("Motorcycle"),
            "four_wheeler": _("Four-wheel motor vehicle"),
            "special_machine": _("Special machine"),
        },
        "paper_kinds": {
            "inspection": _("Inspection certificate"),
            "badge": _("Transport badge"),
            "transport_licence": _("Transport licence of the owner"),
            "permit": _("Border permit"),
        },
        "paper_states": {
            "valid": _("In force"),
            "expires_soon": _("Runs out soon"),
            "not_yet_valid": _("Not yet in force"),
            "expired": _("Run out"),
            "revoked": _("Revoked"),
            "missing": _("Missing"),
            "unknown": _("Not known"),
            "not_needed": _("Not needed"),
        },
        "badge_mismatches": {
            "yellow_without_badge": _("Yellow plate, but no badge"),
            "badge_expired": _("Yellow plate, but the badge no longer holds"),
            "white_with_badge": _("White plate, but a badge for transport business"),
        },
        "party_kinds": {
            "person": _("Person"),
            "organisation": _("Organisation"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "vehicle-not-found": ErrorWords(
            title=_("This vehicle is not in the registry"),
            advice=_("The address may be mistyped. Search for the plate or the chassis number."),
        ),
    }
