# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a trained network to the file that is released, and proof that both agree."""
