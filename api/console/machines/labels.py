# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words about programs and their keys."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "key_states": {
            "working": _("Works"),
            "expired": _("Expired"),
            "revoked": _("Revoked"),
        },
        "client_problems": {
            "name": _("2 to 40 letters a-z, digits and hyphens, beginning with no hyphen."),
            "purpose": _("Say in 1 to 200 characters what the program does."),
            "permissions": _("Choose at least one."),
            "sites": _("Choose sites from the list, or the whole province."),
            "lifetime": _("A key works for 1 to 366 days."),
            "taken": _("A program has this name already."),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "client-not-found": ErrorWords(
            title=_("There is no such program"),
            advice=_("Go back to the list of programs and choose one."),
        ),
        "key-not-found": ErrorWords(
            title=_("This key was revoked before, or never existed"),
            advice=_("Go back to the list of programs; it shows every key as it is now."),
        ),
        "key-limit": ErrorWords(
            title=_("The program has as many working keys as it may have"),
            advice=_("Revoke one that nobody uses any more, then make a new one."),
        ),
    }
