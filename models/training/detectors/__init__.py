# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the networks that find vehicles and plates in pictures."""
