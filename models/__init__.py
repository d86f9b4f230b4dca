# SPDX-License-Identifier: AGPL-3.0-or-later
"""Models of the road: what they are trained on, how they are made, measured and run."""
