# SPDX-License-Identifier: AGPL-3.0-or-later
"""Inference and its preprocessing: numpy, OpenCV and one inference library, no torch."""
