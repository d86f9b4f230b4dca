# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic in numbers: how many passed, how fast, how well they were seen. No plate is in it."""
