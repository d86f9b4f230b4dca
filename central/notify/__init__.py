# SPDX-License-Identifier: AGPL-3.0-or-later
"""Notices to citizens and firms about their dossiers."""
