# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a webhook tells a program: that something happened, and to what; never a plate or a name.

The envelope is that of Standard Webhooks: ``type``, ``timestamp`` and ``data``. Who wants to know
more asks ``/v1`` with a key of its own, so that every look at personal data is written down.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Message

Word = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class WebhookSubjectV1(Message):
    """The thing to which something happened.

    Attributes:
        subject: Kind of thing.
        id: Its id, as ``/v1`` and the console know it.
        site_id: Where it happened; absent for what has no place.
        state: State of the thing when it happened.
        rule: Rule that an alert is about.
        path: Address under ``/v1`` that tells more; absent where there is none.
    """

    subject: Literal["alert", "dossier", "device", "webhook"]
    id: Annotated[str, Field(min_length=1, max_length=64)]
    site_id: Slug | None = None
    state: Word | None = None
    rule: Word | None = None
    path: Annotated[str, Field(pattern=r"^/v1/[a-z0-9/-]{1,120}$")] | None = None


class WebhookV1(Message):
    """Something that happened; ``id`` stays the same however often it is sent."""

    kind: Literal["webhook/1"] = "webhook/1"
    id: UUID
    type: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$", max_length=40)]
    timestamp: AwareDatetime
    data: WebhookSubjectV1
