# SPDX-License-Identifier: AGPL-3.0-or-later
"""Throws changed messages at ingest's reader for a while, and keeps those that found a new way.

``make fuzz MINUTES=15``. Coverage of ``central`` leads the way (atheris, libFuzzer). What is kept
lies in ``corpus`` and is read again by the tests.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from central.contracts.topics import Stream, Topic
from tests.fuzz.property import CORPUS, SUFFIX, kept_messages

LENGTH_MAX: Final = 20_000
"""Longest message that is tried; the limit of 64 KiB has a test of its own. Higher: slower."""
KEPT_MAX: Final = 400
SAMPLES: Final = CORPUS.parents[1] / "contract" / "samples"
STREAMS: Final = {
    "passage-1": Stream.PASSAGE,
    "tag-read-1": Stream.TAG_READ,
    "traffic-minute-1": Stream.TRAFFIC_MINUTE,
    "incident-1": Stream.INCIDENT,
    "evidence-notice-1": Stream.EVIDENCE_NOTICE,
    "heartbeat-1": Stream.HEARTBEAT,
}
EXIT_FOUND: Final = 1


def main() -> int:
    """Fuzz, then keep the smallest set of messages that goes every way; 1 when something broke."""
    say = Console().print
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="how long; default 15")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 2**31, help="for a repeat")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="luuthong-fuzz-") as place:
        grown, least, found = (Path(place) / name for name in ("grown", "least", "found"))
        for folder in (grown, least, found):
            folder.mkdir()
        _write_seeds(grown)
        say(f"fuzzing for {options.minutes:g} minutes, seed {options.seed}")
        fuzzed = _run(
            f"-max_total_time={round(options.minutes * 60)}",
            f"-seed={options.seed}",
            f"-artifact_prefix={found}/",
            f"-max_len={LENGTH_MAX}",
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
            str(grown),
        )
        _run("-merge=1", f"-max_len={LENGTH_MAX}", str(least), str(grown))
        kept = _keep(least)
        broken = sorted(found.iterdir())
        for each in broken:
            (CORPUS / f"broken-{each.name[-12:]}{SUFFIX}").write_bytes(each.read_bytes())
    say(f"{kept} messages are kept, {len(broken)} broke a property")
    return EXIT_FOUND if broken or fuzzed else 0


def _run(*arguments: str) -> int:
    """Run the fuzzer in a process of its own: libFuzzer ends the process that it ran in."""
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.fuzzer", *arguments], check=False
    ).returncode


def _write_seeds(folder: Path) -> None:
    """Begin with what is kept, and with a sample of each contract on its topic."""
    for number, kept in enumerate(kept_messages()):
        (folder / f"kept-{number}").write_bytes(kept.read_bytes())
    for name, stream in STREAMS.items():
        payload = (SAMPLES / f"{name}.json").read_bytes()
        (folder / name).write_bytes(_topic_of(payload, stream) + b"\n" + payload)


def _topic_of(payload: bytes, stream: Stream) -> bytes:
    """The topic on which a sample's device would send it."""
    message = json.loads(payload)
    topic = Topic(
        province="dak-lak",
        site_id=message["site_id"],
        device_id=message["device_id"],
        stream=stream,
    )
    return str(topic).encode()


def _keep(folder: Path) -> int:
    """Put the new set in the place of the old one, under the names of their hashes."""
    found = sorted(folder.iterdir(), key=lambda each: each.stat().st_size)[:KEPT_MAX]
    for old in kept_messages():
        if not old.name.startswith("broken-"):
            old.unlink()
    for each in found:
        (CORPUS / f"{each.name[:16]}{SUFFIX}").write_bytes(each.read_bytes())
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
