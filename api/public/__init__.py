# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages for citizens: no login, light, nothing personal beyond what the code's holder gave."""
