# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit log: changes and looks at personal data, in the transaction of the act."""
