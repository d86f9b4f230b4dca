# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rules without input or output: they know nothing of databases, brokers or clocks."""
