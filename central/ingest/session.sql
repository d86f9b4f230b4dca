-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Tables that a connection of ingest keeps for itself; a batch is copied into them first.

CREATE TEMPORARY TABLE incoming_passage (LIKE passage) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE incoming_evidence (LIKE passage_evidence) ON COMMIT DELETE ROWS;
