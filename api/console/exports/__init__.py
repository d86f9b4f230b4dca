# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tables that leave the console as files: CSV for programs, spreadsheets for people."""
