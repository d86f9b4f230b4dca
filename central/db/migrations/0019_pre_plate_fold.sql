-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A key of plates that forgets which of two look-alike characters was read.

CREATE OR REPLACE FUNCTION plate_fold(plate text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(plate, 'ODQILJZASGTB', '000111245678');
COMMENT ON FUNCTION plate_fold(text) IS
  'The same as fold in central/domain/plate_confusion.py; an index holds it, so that it may only be '
  'changed together with a new index.';
