# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the audit log, and of the reasons to look at personal data."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "purposes": {
            "traffic_control": _("Traffic control"),
            "violation_case": _("Case of a violation"),
            "dossier": _("Work on a dossier"),
            "toll_dispute": _("Toll complaint"),
            "citizen_request": _("Request of a citizen"),
            "inspection": _("Inspection"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "permission-denied": ErrorWords(
            title=_("Your role does not allow this"),
            advice=_(
                "Nothing was changed, and the attempt was written to the audit log. Ask the "
                "administrator if you need this for your work."
            ),
        ),
        "stale-version": ErrorWords(
            title=_("Somebody else changed this meanwhile"),
            advice=_("Nothing was changed by you. Open it again and decide on its newest state."),
        ),
    }
