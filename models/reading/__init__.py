# SPDX-License-Identifier: AGPL-3.0-or-later
"""From picture files to plates with their texts: decoding, finding, reading; no training."""
