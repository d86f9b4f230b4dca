# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which adapter the settings ask for."""

import queue

from central.broker_settings import BrokerSettings
from central.ingest.broker.amqp import AmqpLink
from central.ingest.broker.mqtt import MqttLink
from central.ingest.broker.port import BrokerLink
from central.ingest.metrics import IngestMetrics
from central.ingest.types import ParsedMessage


def broker_link(
    settings: BrokerSettings,
    *,
    messages: queue.Queue[ParsedMessage],
    in_flight_max: int,
    metrics: IngestMetrics,
) -> BrokerLink:
    """A link by AMQP where RabbitMQ's nodes are named, else by MQTT.

    Args:
        settings: Where the broker is.
        messages: Takes what is delivered; larger than ``in_flight_max``.
        in_flight_max: What the broker may deliver unacknowledged.
        metrics: Counters.

    Raises:
        SettingsError: The broker's password can't be read.
    """
    if settings.rabbitmq is None:
        return MqttLink(settings, messages=messages, in_flight_max=in_flight_max, metrics=metrics)
    return AmqpLink(
        settings,
        settings.rabbitmq,
        messages=messages,
        in_flight_max=in_flight_max,
        metrics=metrics,
    )
