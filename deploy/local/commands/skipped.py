# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads from a test report which tests were not run, and why."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET


def skip_reasons(report: Path) -> Counter[str]:
    """Number of skipped tests per reason.

    Args:
        report: JUnit XML that our own pytest has just written; an absent one gives nothing.
    """
    if not report.exists():
        return Counter()
    root = ET.parse(report).getroot()  # noqa: S314 - written by our own child a moment ago
    return Counter(skipped.get("message", "no reason given") for skipped in root.iter("skipped"))
