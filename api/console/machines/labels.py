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
            "beyond": _("A key can't allow more than you may do yourself."),
            "sites": _("Choose sites from the list, or the whole province."),
            "lifetime": _("A key works for 1 to 366 days."),
            "taken": _("A program has this name already."),
        },
        **_webhook_words(_),
    }


def _webhook_words(_: Translate) -> Words:
    """Labels about webhooks."""
    return {
        "webhook_events": {
            "alert.raised": _("Alert raised"),
            "alert.acknowledged": _("Alert taken"),
            "alert.closed": _("Alert closed"),
            "dossier.changed": _("Dossier in a new state"),
            "device.silent": _("Device silent"),
            "device.heard_again": _("Device heard again"),
            "device.numbers_lost": _("Numbers of a device lost"),
            "webhook.test": _("Test"),
        },
        "webhook_states": {"working": _("Works"), "paused": _("Paused")},
        "webhook_troubles": {
            "failing": _("The receiver does not take messages"),
            "paused_person": _("Paused by a person"),
            "paused_failing": _("Paused, as the receiver took nothing for 3 days"),
            "paused_gone": _("Paused, as the receiver says that it is gone"),
        },
        "webhook_advice": {
            "failing": _("Messages are tried again, ever later, for 3 days."),
            "paused_person": _("Messages wait for 3 days, then they are given up."),
            "paused_failing": _("Ask those who run the receiver, then resume it."),
            "paused_gone": _("Ask those who run the receiver, then resume or remove it."),
        },
        "webhook_problems": {
            "name": _("2 to 40 letters a-z, digits and hyphens, beginning with no hyphen."),
            "events": _("Choose at least one kind of event."),
            "sites": _("Choose sites from the list, or the whole province."),
            "taken": _("A webhook has this name already."),
            "limit": _("There are as many webhooks as there may be. Remove one first."),
            "off": _("This centre has no key for webhooks (WEBHOOKS__KEY_FILE)."),
            "url_malformed": _("Write the whole address, without a user name and without #."),
            "url_scheme": _("The address begins with https://."),
            "url_port": _("Webhooks may not go to this port."),
            "url_network": _("Webhooks may not go into this network."),
        },
        "delivery_states_words": {
            "waiting": _("Waiting"),
            "delivered": _("Delivered"),
            "failed": _("Given up"),
        },
        "delivery_failures": {
            "address_refused": _("The address leads into a network that is not allowed"),
            "no_such_host": _("The DNS knows no such host"),
            "unreachable": _("Not reached"),
            "timeout": _("No answer in time"),
            "tls_failed": _("The certificate is not trusted"),
            "redirected": _("Sent elsewhere, which is not followed"),
            "refused": _("Refused"),
            "bad_answer": _("No proper answer"),
            "expired": _("Not sent in time"),
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
        "webhook-not-found": ErrorWords(
            title=_("There is no such webhook"),
            advice=_("It may have been removed. Go back to the list of webhooks."),
        ),
        "webhook-state": ErrorWords(
            title=_("The webhook is paused, or was resumed meanwhile"),
            advice=_("Go back to its page; it shows the state as it is now."),
        ),
        "webhook-limit": ErrorWords(
            title=_("There are as many as there may be"),
            advice=_("Old secrets end 7 days after a new one; make the next one then."),
        ),
        "webhooks-off": ErrorWords(
            title=_("This centre has no key for webhooks"),
            advice=_("Ask the person who looks after the server to set one."),
        ),
        "webhook-delivery-not-found": ErrorWords(
            title=_("There is no such delivery"),
            advice=_("It may be older than what is kept."),
        ),
        "key-beyond-maker": ErrorWords(
            title=_("This key would allow more than you may do"),
            advice=_(
                "Nothing was changed. Whoever makes a key sees it, so such keys are made at the "
                "server."
            ),
        ),
        "key-limit": ErrorWords(
            title=_("The program has as many working keys as it may have"),
            advice=_("Revoke one that nobody uses any more, then make a new one."),
        ),
    }
