# SPDX-License-Identifier: AGPL-3.0-or-later
"""A typed client of ``/v1`` for programs in Python; it needs httpx only.

``models`` and ``calls`` are generated from the OpenAPI document by ``make client``.
"""
