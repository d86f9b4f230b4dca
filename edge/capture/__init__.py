# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where pictures come from: recordings, folders of pictures, cameras on the network."""
