# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files into the registry: tried out first, every bad row named, all of a file or nothing."""
