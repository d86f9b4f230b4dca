# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words for citizens: states and errors."""

from collections.abc import Callable, Mapping

Translate = Callable[[str], str]


def words(_: Translate) -> Mapping[str, Mapping[str, str]]:
    """Labels by group and code, for templates."""
    return {
        "clock_texts": {
            "received": _("The result is due"),
            "supplement_requested": _("The deadline stands still until the papers are here"),
        }
    }


def problem_words(_: Translate, code: str) -> tuple[str, str]:
    """What an error means, and what to do."""
    known = {
        "dossier-not-found": (
            _("No dossier has this code"),
            _("Compare it with the receipt: letters, digits, dots and hyphens."),
        ),
        "dossier-no-longer-shown": (
            _("This dossier is no longer shown here"),
            _("It ended more than half a year ago. Ask the office that took it in."),
        ),
        "not-found": (
            _("This page does not exist"),
            _("The address may be mistyped. Ask for your dossier by its code."),
        ),
        "too-many-requests": (
            _("That was too often"),
            _("Wait a minute, then ask again."),
        ),
        "database-unavailable": (
            _("The data can't be reached just now"),
            _("Your dossier is safe. Try again in a few minutes."),
        ),
    }
    return known.get(
        code, (_("Something went wrong"), _("It was recorded. Try again in a few minutes."))
    )
