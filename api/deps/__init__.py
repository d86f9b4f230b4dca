# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every kind of page and call needs from the process and from a request."""
