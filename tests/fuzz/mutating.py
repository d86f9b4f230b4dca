# SPDX-License-Identifier: AGPL-3.0-or-later
"""Changes of a message that are worth a try: of its fields, where bytes would only break it."""

import json
import random
from typing import Any, Final

NASTY: Final[tuple[object, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, -(2**63) - 1, 0.1, 1e308, -0.0),
    *("", " ", "\u0000", "\ud800", "\ufeff", "\u202e", "0", "NaN", "-1", "1e999", "null"),
    *("'; DROP TABLE passage; --", "<script>alert(1)</script>", "{{7*7}}", "%s%n", "../../etc"),
    *("2026-11-22T03:04:05Z", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "20A12345"),
    *([], {}, [[]], [None], {"": ""}, "a" * 5000, [0] * 200),
)
BROKEN: Final = (
    b"\xff\xfe",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b'{"id":1,"id":2}',
    b'"\\ud800"',
    b"[" * 3000,
    b'{"a":' * 3000,
    b"\x00",
    b"\xef\xbb\xbf{}",
)
FIELD_SHARE: Final = 0.6
"""How many changes are of a field. Higher: deeper into the contracts; lower: more bad JSON."""
BROKEN_SHARE: Final = 0.05
DEPTH_MAX: Final = 6


def changed(data: bytes, seed: int) -> bytes | None:
    """A message with a change of our own; ``None`` leaves it to the fuzzer.

    Args:
        data: Topic, line end, payload.
        seed: Decides what changes.
    """
    rng = random.Random(seed)  # noqa: S311  # a fuzzer's choices
    topic, _, payload = data.partition(b"\n")
    chosen = rng.random()
    if chosen < BROKEN_SHARE:
        return topic + b"\n" + rng.choice(BROKEN)
    if chosen > BROKEN_SHARE + FIELD_SHARE:
        return None
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    _change_a_field(message, rng)
    text = json.dumps(message, ensure_ascii=rng.random() < 0.5)
    return topic + b"\n" + text.encode("utf-8", "surrogatepass")


def _change_a_field(message: dict[str, Any], rng: random.Random) -> None:
    """Replace, remove, add or repeat something somewhere in a message."""
    place: Any = message
    for _ in range(DEPTH_MAX):
        inner = [each for each in _children(place) if isinstance(each, dict | list) and each]
        if not inner or rng.random() < 0.5:
            break
        place = rng.choice(inner)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    if not keys:
        return
    key = rng.choice(keys)
    match rng.randrange(4):
        case 0 if isinstance(place, dict):
            place.pop(key)
        case 1 if isinstance(place, dict):
            place[str(rng.choice(NASTY))] = rng.choice(NASTY)
        case 2 if isinstance(place, list):
            place.append(rng.choice(place) if place else rng.choice(NASTY))
        case _:
            place[key] = rng.choice(NASTY)


def _children(place: object) -> list[object]:
    match place:
        case dict():
            return list(place.values())
        case list():
            return list(place)
        case _:
            return []
