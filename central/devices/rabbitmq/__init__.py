# SPDX-License-Identifier: AGPL-3.0-or-later
"""RabbitMQ as the devices' broker: names, rights and accounts."""
