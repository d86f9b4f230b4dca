# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the models learn from: manifests, splits, conversion and rendering."""
