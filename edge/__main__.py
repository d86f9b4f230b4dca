# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m edge`` is ``luuthong-edge``."""

from edge.cli import main

if __name__ == "__main__":
    main()
