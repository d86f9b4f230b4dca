# SPDX-License-Identifier: AGPL-3.0-or-later
"""Second factors: one-time codes, recovery codes, and the step between password and session."""
