# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the models; needs the training environment, unlike the runtime."""
