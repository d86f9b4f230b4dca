# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rendered Vietnamese plates: the part of the training pool whose truth is exact."""
