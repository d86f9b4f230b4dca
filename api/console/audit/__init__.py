# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit log's page, and the reason that is asked for before personal data are shown."""
