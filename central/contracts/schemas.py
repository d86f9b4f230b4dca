# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON Schemas of the messages, for those who write devices in other languages.

``python -m central.contracts.schemas`` writes them beside this module; a test compares.
"""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Final

from central.contracts.command import LiveFrameCommandV1
from central.contracts.commit_ack import CommitAckV1
from central.contracts.evidence_notice import EvidenceNoticeV1
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.incident import IncidentV1
from central.contracts.message import Message
from central.contracts.passage import PassageV1
from central.contracts.tag_read import TagReadV1
from central.contracts.traffic_minute import TrafficMinuteV1
from central.contracts.webhook import WebhookV1

FOLDER: Final = Path(__file__).parent / "json"

CONTRACTS: Final = MappingProxyType[str, type[Message]](
    {
        "passage-1": PassageV1,
        "tag-read-1": TagReadV1,
        "traffic-minute-1": TrafficMinuteV1,
        "incident-1": IncidentV1,
        "evidence-notice-1": EvidenceNoticeV1,
        "heartbeat-1": HeartbeatV1,
        "commit-ack-1": CommitAckV1,
        "live-frame-1": LiveFrameCommandV1,
        "webhook-1": WebhookV1,
    }
)


def schema_text(name: str) -> str:
    """JSON Schema (draft 2020-12) of one contract, as it stands in its file."""
    schema = CONTRACTS[name].model_json_schema(mode="validation")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_schemas(folder: Path = FOLDER) -> None:
    """Write every schema; existing files are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CONTRACTS:
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas()
