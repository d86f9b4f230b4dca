# SPDX-License-Identifier: AGPL-3.0-or-later
"""Arithmetic of the figures: intervals, average precision, calibration, comparisons."""
