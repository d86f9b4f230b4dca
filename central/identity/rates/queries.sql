-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Addresses of strangers, for minutes: nobody reads these rows, so the queries take no scope.

-- name: count_try
-- Count one more try of an address; a window that is over begins from nothing.
INSERT INTO address_rate (action, client, began_at, tries)
VALUES (%(action)s, %(client)s, %(now)s, 1)
ON CONFLICT (action, client) DO UPDATE
   SET tries = CASE
         WHEN address_rate.began_at <= %(over_before)s THEN 1
         ELSE least(address_rate.tries, %(tries_max)s) + 1
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
