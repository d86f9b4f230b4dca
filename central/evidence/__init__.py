# SPDX-License-Identifier: AGPL-3.0-or-later
"""Evidence pictures: stored under their hash outside the database, with an erasure date."""
