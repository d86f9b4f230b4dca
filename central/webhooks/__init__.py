# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks: telling programs of other systems what happened here."""
