# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions: opened by a login, looked up at every request, ended one by one or all at once."""
