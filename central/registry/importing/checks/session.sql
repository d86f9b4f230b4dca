-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The good rows of one file: line of the file, and cells by column. Lives as long as the
-- transaction, in a table of the connection's own.

CREATE TEMPORARY TABLE IF NOT EXISTS import_row (
  line integer PRIMARY KEY,
  data jsonb NOT NULL
) ON COMMIT DELETE ROWS;
