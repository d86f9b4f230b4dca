# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sites, devices and cameras: where things stand, who may send, and how they are."""
