# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of closed toll days."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "difference_kinds": {
            "missing_at_provider": _("Charged here, missing at the provider"),
            "missing_here": _("Debited by the provider, not charged here"),
            "amount_differs": _("The amounts differ"),
            "account_differs": _("The accounts differ"),
            "doubled": _("Debited more than once by the provider"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "toll-station-not-found": ErrorWords(
            title=_("This toll station does not exist"),
            advice=_("Choose a station from the list."),
        ),
        "toll-day-not-found": ErrorWords(
            title=_("This closed day does not exist"),
            advice=_("Look for the day in the list of closed days."),
        ),
        "toll-day-not-over": ErrorWords(
            title=_("This day is not over yet"),
            advice=_("Nothing was closed. A day ends at 24:00; close the day so far if you must."),
        ),
        "provider-file-invalid": ErrorWords(
            title=_("The provider's file can't be taken"),
            advice=_("Nothing of it was kept. Have the named lines put right and try again."),
        ),
    }
