# SPDX-License-Identifier: AGPL-3.0-or-later
"""What holds of ingest over MQTT holds over a RabbitMQ cluster: the same tests once more.

``conftest.py`` beside this file gives them another broker. What follows is of the cluster alone.
"""

from tests.integration.central.test_ingest_over_mqtt import *  # noqa: F403
