# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the map."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "site_tones": {
            "ok": _("Everything runs"),
            "warn": _("Something waits or is switched off"),
            "bad": _("Needs somebody"),
        }
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """The map has no errors of its own."""
    return {}
