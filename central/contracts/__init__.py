# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages between devices and the centre; importing them starts nothing."""
