# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in by an outside identity provider."""
