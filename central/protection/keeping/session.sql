-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Tables of the connection's own while a span is judged: why and until when each row is kept, and
-- the rows that stay while their chunk is dropped. They are empty again after the commit.

CREATE TEMPORARY TABLE IF NOT EXISTS judged (
  captured_at timestamptz NOT NULL,
  id uuid NOT NULL,
  purpose text NOT NULL,
  keep_until timestamptz NOT NULL
) ON COMMIT DELETE ROWS;

CREATE TEMPORARY TABLE IF NOT EXISTS staying_passage (LIKE passage) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staying_evidence (LIKE passage_evidence) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staying_tag_read (LIKE tag_read) ON COMMIT DELETE ROWS;
