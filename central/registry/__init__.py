# SPDX-License-Identifier: AGPL-3.0-or-later
"""The registry: firms, vehicles and plates, badges, permits, inspections, driving licences."""
