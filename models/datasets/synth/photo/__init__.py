# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens to a plate between the road and the file, step by step."""
