# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors about webhooks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.webhooks.errors import (
    AddressRefusedError,
    DeliveryNotFoundError,
    WebhookInvalidError,
    WebhookLimitError,
    WebhookNotFoundError,
    WebhooksOffError,
    WebhookStateError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        WebhooksOffError: Problem(
            status=409, code="webhooks-off", title="This centre has no key for webhooks"
        ),
        WebhookInvalidError: Problem(
            status=422, code="webhook-invalid", title="A part of the webhook is missing or wrong"
        ),
        AddressRefusedError: Problem(
            status=422, code="webhook-address-refused", title="Webhooks may not go there"
        ),
        WebhookNotFoundError: Problem(
            status=404, code="webhook-not-found", title="There is no such webhook"
        ),
        WebhookStateError: Problem(
            status=409,
            code="webhook-state",
            title="The webhook is not in the state that this needs",
        ),
        WebhookLimitError: Problem(
            status=409, code="webhook-limit", title="There are as many as there may be"
        ),
        DeliveryNotFoundError: Problem(
            status=404,
            code="webhook-delivery-not-found",
            title="The webhook has no such delivery",
        ),
    }
)
