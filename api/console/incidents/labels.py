# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of incidents: kinds, states and phases."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "incident_kinds": {
            "stopped_vehicle": _("Stopped vehicle"),
            "wrong_way": _("Vehicle on the wrong side"),
            "slow_traffic": _("Slow traffic"),
            "person_on_road": _("Person on the road"),
            "object_on_road": _("Object on the road"),
            "camera_blind": _("Camera sees nothing"),
            "camera_moved": _("Camera was moved"),
        },
        "incident_states": {"open": _("Still going on"), "ended": _("Over")},
        "incident_phases": {
            "begun": _("It began"),
            "lasts": _("It lasts"),
            "ended": _("It ended"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "incident-not-found": ErrorWords(
            title=_("This incident does not exist"),
            advice=_("Go back to the list of incidents."),
        ),
    }
