# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of data protection: who looked, what is unusual, and what citizens ask."""
