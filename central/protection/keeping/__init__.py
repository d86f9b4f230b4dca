# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps passages, tag reads and pictures for as long as their purpose lasts, and proves erasures.

A span is a chunk of a hypertable. Once all of it is older than what nothing keeps, each of its rows
is judged by purpose. If few rows stay, they are put aside, the chunk is dropped, and they are put
back: the room is free at once. If many stay, the others are deleted where they are.
"""
