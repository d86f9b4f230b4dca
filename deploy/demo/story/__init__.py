# SPDX-License-Identifier: AGPL-3.0-or-later
"""One truck's story, played through every part of a local stack."""
