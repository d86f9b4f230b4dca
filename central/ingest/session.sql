-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A table that a connection of ingest keeps for itself: the ids of a batch are copied into it
-- before they are claimed.

CREATE TEMPORARY TABLE incoming_identity (
  LIKE passage_identity, is_passage boolean NOT NULL
) ON COMMIT DELETE ROWS;
