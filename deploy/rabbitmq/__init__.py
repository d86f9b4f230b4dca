# SPDX-License-Identifier: AGPL-3.0-or-later
"""Three RabbitMQ nodes on loopback: the broker of more than one box, for trying and testing."""
