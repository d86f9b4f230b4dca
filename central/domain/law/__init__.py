# SPDX-License-Identifier: AGPL-3.0-or-later
"""Legal numbers as dated data; every file names its sources and how sure they are."""
