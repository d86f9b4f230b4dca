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
        "file_faults": {
            "provider": _("Choose the provider who sent the file."),
            "too_large": _(
                "The file is too large for this page. Take it in on the server with luuthong toll"
                " close-day."
            ),
            "not_utf8": _("The text is not UTF-8. Save the file as CSV UTF-8 and try again."),
            "empty": _("The file is empty."),
            "too_many_rows": _("The file has too many rows."),
            "columns": _(
                "The columns crossing_id, account_number, debited_at, amount_dong are needed,"
                " each once."
            ),
            "cells": _("This line has not as many cells as the header."),
            "crossing_id": _("The crossing's id is not valid."),
            "account_number": _("The account's number is not valid."),
            "debited_at": _("The time is not valid; write it as 2026-03-02 08:15:00."),
            "amount_dong": _("The amount is not valid; write digits only, without dots: 75000."),
            "other_day": _("The time does not belong to this day."),
            "other_crossing": _("The crossing belongs to another station or day."),
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
