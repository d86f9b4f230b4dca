# SPDX-License-Identifier: AGPL-3.0-or-later
"""Migrations: numbered plain SQL, run forward only by Alembic.

``0001_pre_name.sql`` runs while the old code is live and only adds; ``0001_post_name.sql`` runs
after the new code is live and may remove. A released file is never edited.
"""
