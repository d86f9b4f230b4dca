# SPDX-License-Identifier: AGPL-3.0-or-later
"""Toll tags: from a reader's answers to one tag read per passage."""
