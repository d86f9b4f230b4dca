# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of users, of the own account and of what can be wrong with them."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "proofs": {
            "password": _("Password"),
            "one_time_code": _("One-time code"),
            "recovery_code": _("Recovery code"),
            "security_key": _("Security key"),
            "outside": _("Outside account"),
            "outside_two_factors": _("Outside account with a second factor"),
        },
        "password_problems": {
            "differs": _("The two new passwords differ."),
            "wrong_old": _("The present password is wrong."),
            "delayed": _("Too many failed attempts. Wait a few minutes."),
            "too_short": _("The new password is too short."),
            "too_long": _("The new password is too long."),
            "too_common": _("The new password is one that many people try. Choose another."),
            "holds_name": _("The new password must not hold your name."),
            "same_as_before": _("The new password is the present one."),
        },
        "factor_problems": {
            "wrong_password": _("The present password is wrong."),
            "wrong_code": _("The code is wrong or was used before. Wait for the next one."),
            "not_begun": _("Begin again: the secret waited for too long."),
            "there_already": _("An app is set up already. Take it away first."),
            "not_there": _("No app is set up."),
            "delayed": _("Too many failed attempts. Wait a few minutes."),
            "keys_off": _("Security keys are off here. Ask whoever runs the server."),
            "key_name": _("Give the key a name of 1 to 60 characters."),
            "too_many_keys": _("You have ten keys already. Take one away first."),
            "key_not_begun": _("That took too long. Type name and password again."),
            "key_not_proven": _("The key was not accepted. Try again, or use another one."),
        },
        "user_states": {"enabled": _("May sign in"), "disabled": _("Shut out")},
        "reaches": {
            "province": _("The whole province"),
            "areas": _("Areas of the user and of the unit"),
        },
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "password-change-needed": ErrorWords(
            title=_("Choose your own password first"),
            advice=_("The password that you were given only lets you choose another."),
        ),
        "second-factor-setup-needed": ErrorWords(
            title=_("Set your second factor up first"),
            advice=_("Your role asks for one. You find it under My account."),
        ),
        "identity-proof-missing": ErrorWords(
            title=_("How you made sure who asks"),
            advice=_("Say in 10 to 200 characters how you made sure who asks."),
        ),
        "second-factor-off": ErrorWords(
            title=_("Second factors are off here"),
            advice=_("This server has no key for them, or another one. Ask whoever runs it."),
        ),
        "last-administrator": ErrorWords(
            title=_("This is the last administrator"),
            advice=_("Nothing was changed. Make another administrator first."),
        ),
        "own-account": ErrorWords(
            title=_("Nobody changes the own role, areas or state"),
            advice=_("Nothing was changed. Ask another administrator."),
        ),
        "role-not-assignable": ErrorWords(
            title=_("This role is not given to people"),
            advice=_("Nothing was changed. Choose another role."),
        ),
        "user-not-found": ErrorWords(
            title=_("This user does not exist"),
            advice=_("The address may be mistyped, or the page has moved."),
        ),
        "unit-not-found": ErrorWords(
            title=_("This unit does not exist"),
            advice=_("Nothing was changed. Open the user again and choose from the list."),
        ),
        "area-not-found": ErrorWords(
            title=_("This area does not exist"),
            advice=_("Nothing was changed. Open the user again and choose from the list."),
        ),
    }
