# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of signing in by an outside provider, and of everything that can be in its way."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates; %(name)s stands for the provider."""
    return {
        "outside_faults": {
            "gone": _("This way back was used already or took too long"),
            "cancelled": _("You cancelled signing in"),
            "refused": _("Signing in by %(name)s did not work"),
            "unreachable": _("No answer from %(name)s"),
            "not_trusted": _("The answer of %(name)s can't be trusted"),
            "not_linked": _("This outside account opens nothing here"),
            "shut_out": _("Your account here is switched off"),
            "factor_needed": _("Your account needs a second factor"),
            "taken": _("The link is already taken"),
            "signed_out": _("You were signed out meanwhile"),
            "too_often": _("Too many attempts to sign in"),
        },
        "outside_advice": {
            "gone": _("Nobody was signed in. Begin again in this browser."),
            "cancelled": _("Nobody was signed in. You can begin again or use your password."),
            "refused": _("Nobody was signed in. Try again, or use your password."),
            "unreachable": _("Nobody was signed in. Use your password, or try again later."),
            "not_trusted": _("Nobody was signed in. Use your password, and tell an administrator."),
            "not_linked": _(
                "Sign in with your password once and link it under My account, or ask an "
                "administrator."
            ),
            "shut_out": _("Ask an administrator."),
            "factor_needed": _(
                "%(name)s did not say that it asked for a second one. Use one there, or sign in "
                "with your password."
            ),
            "taken": _(
                "Nothing was changed: this outside account opens another account, or yours is "
                "linked to another one. Take that link away first."
            ),
            "signed_out": _("Nothing was linked. Sign in with your password and begin again."),
            "too_often": _("Wait a minute, or use your password."),
        },
        "outside_link_problems": {
            "subject": _("Give a subject of 1 to 255 characters."),
            "taken": _("This subject opens another account already, or this user has another one."),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """No errors of its own: its faults are pages."""
    return {}
