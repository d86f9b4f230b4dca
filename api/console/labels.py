# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words for everything that has a code: classes, directions, states. One place, both languages."""

from typing import Final

from api.console.account import labels as people
from api.console.account import outside_labels as outside
from api.console.alerts import labels as alerts
from api.console.audit import labels as audit
from api.console.devices import labels as devices
from api.console.dossiers import labels as dossiers
from api.console.incidents import labels as incidents
from api.console.machines import labels as machines
from api.console.map import labels as site_map
from api.console.protection import labels as protection
from api.console.tolls import day_labels as toll_days
from api.console.tolls import labels as tolls
from api.console.vehicles import labels as vehicles
from api.console.wording import ErrorWords, Translate, Words

__all__ = ["AREAS", "ErrorWords", "Translate", "Words", "error_words", "words"]

AREAS: Final = (
    people,
    outside,
    protection,
    alerts,
    audit,
    devices,
    dossiers,
    incidents,
    machines,
    site_map,
    tolls,
    toll_days,
    vehicles,
)
"""Areas with words of their own; each module has ``words`` and ``error_words``."""


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    own = {
        "vehicle_classes": {
            "car": _("Car"),
            "motorcycle": _("Motorcycle"),
            "bus": _("Bus"),
            "truck": _("Truck"),
            "vehicle": _("Unknown vehicle"),
        },
        "directions": {
            "up": _("Up"),
            "down": _("Down"),
            "left": _("To the left"),
            "right": _("To the right"),
            "unknown": _("Unknown direction"),
        },
        "plate_colours": {
            "white": _("white plate"),
            "yellow": _("yellow plate"),
            "blue": _("blue plate"),
            "red": _("red plate"),
            "unknown": _("plate of unknown colour"),
        },
        "confidence_levels": {
            "sure": _("Sure"),
            "check": _("Check it"),
            "unsure": _("Not sure"),
        },
        "likenesses": {
            "very": _("Very alike: look-alike characters"),
            "rather": _("Rather alike"),
        },
        "clock_sources": {
            "ntp": _("NTP"),
            "ptp": _("PTP"),
            "gps": _("GPS"),
            "system": _("device's own clock"),
            "file": _("clock of a recording"),
        },
        "health_states": {
            "alive": _("Connected"),
            "silent": _("No signal"),
            "never": _("Never heard of"),
            "disabled": _("Switched off"),
            "starting": _("Starting"),
            "running": _("Running"),
            "stalled": _("No picture"),
            "failed": _("Failed"),
            "finished": _("Finished"),
        },
        "periods": {
            "any": _("Any time"),
            "hour": _("Last hour"),
            "today": _("Today"),
            "day": _("Last 24 hours"),
            "week": _("Last 7 days"),
            "custom": _("Own range…"),
        },
        "themes": {
            "auto": _("Automatic"),
            "light": _("Light"),
            "dark": _("Dark"),
        },
    }
    areas = {group: labels for area in AREAS for group, labels in area.words(_).items()}
    return {**own, **_words_of_pictures(_), **areas}


def _words_of_pictures(_: Translate) -> Words:
    """What pictures and plates on them are called, and what became of one that is not here."""
    return {
        "plate_layouts": {"one_line": _("one line"), "two_line": _("two lines")},
        "evidence_kinds": {"scene": _("Vehicle picture"), "plate": _("Plate picture")},
        "picture_fates": {
            "expected": _(
                "The picture has not arrived yet and is still expected. Of an old passage it may "
                "have been erased by its date."
            ),
            "not_taken": _("The device took no such picture."),
            "dropped_for_room": _(
                "The device had no room left and dropped this picture; it will not come."
            ),
            "unreadable": _("The device can't read this picture any more; it will not come."),
        },
    }


def error_words(_: Translate, code: str) -> ErrorWords:
    """What an error's code means to a person."""
    known = {
        "not-found": ErrorWords(
            title=_("This page does not exist"),
            advice=_("The address may be mistyped, or the page has moved."),
        ),
        "passage-not-found": ErrorWords(
            title=_("This passage does not exist"),
            advice=_("It may have been erased, or you may not see it."),
        ),
        "database-unavailable": ErrorWords(
            title=_("The data can't be reached just now"),
            advice=_(
                "Cameras keep recording and nothing is lost. Wait a moment and try again; if it "
                "lasts, call the person who looks after the server."
            ),
        ),
        "too-many-streams": ErrorWords(
            title=_("Too many live pages are open"),
            advice=_("Close some windows, or reload this page by hand."),
        ),
        "cross-origin-request": ErrorWords(
            title=_("This request came from another website"),
            advice=_("Nothing was changed. Go back to the console and try again there."),
        ),
        "body-too-large": ErrorWords(
            title=_("That was too much at once"), advice=_("Shorten what you typed and try again.")
        ),
        "cursor-invalid": ErrorWords(
            title=_("This page of the list does not exist"),
            advice=_("Start again from the newest passages."),
        ),
        "request-invalid": ErrorWords(
            title=_("This request was not understood"),
            advice=_("The address may be mistyped, or the page has moved."),
        ),
    }
    for area in AREAS:
        known |= area.error_words(_)
    return known.get(
        code,
        ErrorWords(
            title=_("Something went wrong"),
            advice=_("It was recorded. Try again; if it happens again, pass on the number below."),
        ),
    )
