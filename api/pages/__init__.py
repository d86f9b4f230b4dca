# SPDX-License-Identifier: AGPL-3.0-or-later
"""How HTML pages are made: languages, built files, templates; for officials and for citizens."""
