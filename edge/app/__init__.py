# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wires the stages together and owns every thread; the only place that knows all of them."""
