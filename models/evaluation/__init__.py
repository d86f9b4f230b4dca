# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measuring the models on data that they have not seen."""
