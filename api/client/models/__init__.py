# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is sent to ``/v1`` and answered by it, a module per part of the interface."""
