# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTTP: JSON for machines, pages for officials and citizens."""
