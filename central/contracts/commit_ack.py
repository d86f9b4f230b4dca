# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commit acknowledgement: the only thing that lets a device forget an event."""

from typing import Literal
from uuid import UUID

from central.contracts.identifiers import Slug
from central.contracts.message import Message, Seq


class CommitAckV1(Message):
    """Every event of this outbox up to and including ``up_to_seq`` is committed at the centre.

    A device ignores acknowledgements for another ``outbox_id`` (an earlier life of its disk).
    """

    kind: Literal["commit-ack/1"] = "commit-ack/1"
    device_id: Slug
    outbox_id: UUID
    up_to_seq: Seq
