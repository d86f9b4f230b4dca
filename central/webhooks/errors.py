# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be refused about webhooks.

::

    WebhookError
    ├── WebhooksOffError           this centre has no key for their secrets
    ├── WebhookInvalidError        a part of a new webhook is missing or wrong
    ├── WebhookNotFoundError
    ├── WebhookStateError          it is not in the state that the act needs
    ├── WebhookLimitError          there are as many as there may be
    ├── DeliveryNotFoundError
    └── AddressRefusedError        the address is none that we may call
"""

from typing import Final

from central.errors import CentralError


class WebhookError(CentralError):
    """Root of the errors about webhooks."""


class WebhooksOffError(WebhookError):
    """This centre has no key for the secrets of webhooks."""

    def __init__(self) -> None:
        super().__init__("no key file for webhooks is set")


class WebhookInvalidError(WebhookError):
    """A part of a new webhook is missing or wrong; ``part`` names it."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} is missing or wrong")
        self.part: Final = part


class WebhookNotFoundError(WebhookError):
    """There is no such webhook, or it was removed."""

    def __init__(self) -> None:
        super().__init__("there is no such webhook")


class WebhookStateError(WebhookError):
    """The webhook is not in the state that the act needs."""

    def __init__(self) -> None:
        super().__init__("the webhook is not in the state that this needs")


class WebhookLimitError(WebhookError):
    """There are as many webhooks, or secrets of one, as there may be."""

    def __init__(self) -> None:
        super().__init__("there are as many as there may be")


class DeliveryNotFoundError(WebhookError):
    """The webhook has no such delivery."""

    def __init__(self) -> None:
        super().__init__("there is no such delivery")


class AddressRefusedError(WebhookError):
    """An address is none that we may call. Says why and never which: it may hold a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the address is refused: {reason}")
        self.reason: Final = reason
