# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs: periodic work of the centre, run by procrastinate's worker."""
