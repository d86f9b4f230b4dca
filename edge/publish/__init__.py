# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the outbox to the centre: events and heartbeats by MQTT, evidence by HTTP."""
