-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Addresses and keys, for minutes: nobody reads these rows, so the queries take no scope.

-- name: count_tries
-- Count more tries of an address or key; a window that is over begins from nothing.
INSERT INTO address_rate (action, client, began_at, tries)
VALUES (%(action)s, %(client)s, %(now)s, %(tries)s)
ON CONFLICT (action, client) DO UPDATE
   SET tries = CASE
         WHEN address_rate.began_at <= %(over_before)s THEN excluded.tries
         ELSE least(address_rate.tries, %(tries_max)s) + excluded.tries
       END,
       began_at = CASE
         WHEN address_rate.began_at <= %(over_before)s THEN excluded.began_at
         ELSE address_rate.began_at
       END
RETURNING began_at, tries;

-- name: delete_old_rates
-- Forget windows that are over.
DELETE FROM address_rate
 WHERE began_at < %(before)s;
