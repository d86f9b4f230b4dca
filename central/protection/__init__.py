# SPDX-License-Identifier: AGPL-3.0-or-later
"""Data protection: who looked at whom, what is unusual, and what citizens ask about their data."""
