-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Administrators see every webhook; a program (client_id) sees its own. What each of them hears is
-- limited to its own sites when a delivery is made.

-- name: select_listeners
-- Webhooks that want to hear of one of these types. A program that no key lets in any more, or none
-- that may keep webhooks, hears nothing.
SELECT id, events, site_ids, state = 'working' AND failing_since IS NULL AS is_sent_at_once
  FROM webhook
 WHERE state <> 'removed'
   AND events && %(types)s::text[]
   AND (
     client_id IS NULL
     OR EXISTS (
       SELECT
         FROM api_client
        INNER JOIN api_key ON api_key.client_id = api_client.id
        WHERE api_client.id = webhook.client_id
          AND 'manage_webhooks' = any(api_client.permissions)
          AND api_key.revoked_at IS NULL
          AND api_key.expires_at > %(now)s
     )
   )
 ORDER BY made_at, id
 LIMIT %(rows_max)s;

-- name: insert_events
-- Keep what is told.
INSERT INTO webhook_event (id, type, occurred_at, body)
SELECT told.id, told.type, %(now)s AS occurred_at, told.body
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS told (id uuid, type text, body text);

-- name: insert_deliveries
-- Keep who is to be told.
INSERT INTO webhook_delivery (id, webhook_id, event_id, made_at, due_at, expires_at)
SELECT queued.id, queued.webhook_id, queued.event_id, %(now)s AS made_at, %(now)s AS due_at,
       %(given_up_at)s AS expires_at
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS queued (id uuid, webhook_id uuid, event_id uuid);

-- name: count_webhooks
-- How many webhooks are not removed.
SELECT count(*)
  FROM webhook
 WHERE state <> 'removed';

-- name: insert_webhook
-- Register a webhook; a taken name is left alone.
INSERT INTO webhook (id, name, url, events, site_ids, client_id, made_by, made_at)
VALUES (
  %(id)s, %(name)s, %(url)s, %(events)s::text[], %(site_ids)s::text[], %(client_id)s, %(made_by)s,
  %(now)s
)
ON CONFLICT (name) WHERE state <> 'removed' DO NOTHING
RETURNING id;

-- name: lock_webhook
-- A webhook that is not removed; others who change it wait.
SELECT name, state, version
  FROM webhook
 WHERE id = %(webhook_id)s
   AND (%(client_id)s::bigint IS NULL OR client_id = %(client_id)s)
   AND state <> 'removed'
   FOR UPDATE;

-- name: update_state
-- Pause, resume or remove a webhook; it starts with a clean record.
UPDATE webhook
   SET state = %(state)s, pause_reason = %(reason)s,
       paused_at = CASE WHEN %(reason)s::text IS NULL THEN NULL ELSE %(now)s::timestamptz END,
       failing_since = NULL, version = version + 1
 WHERE id = %(webhook_id)s;

-- name: count_version
-- A webhook is no longer what somebody saw of it.
UPDATE webhook
   SET version = version + 1
 WHERE id = %(webhook_id)s;

-- name: insert_secret
-- Keep what a new secret is made from.
INSERT INTO webhook_secret (webhook_id, salt, made_by, made_at)
VALUES (%(webhook_id)s, %(salt)s, %(made_by)s, %(now)s);

-- name: end_secrets
-- A newer secret replaces these: they go on signing for the overlap, if they do not end earlier.
UPDATE webhook_secret
   SET ends_at = %(ends_at)s
 WHERE webhook_id = %(webhook_id)s
   AND (ends_at IS NULL OR ends_at > %(ends_at)s);

-- name: count_secrets
-- How many secrets of a webhook sign its messages.
SELECT count(*)
  FROM webhook_secret
 WHERE webhook_id = %(webhook_id)s
   AND (ends_at IS NULL OR ends_at > %(now)s);

-- name: select_webhooks
-- Webhooks that are not removed, by name; or one of them.
SELECT webhook.id, webhook.name, webhook.url, webhook.events, webhook.site_ids, webhook.state,
       webhook.pause_reason, webhook.paused_at, webhook.failing_since, webhook.made_by,
       webhook.made_at, webhook.version,
       (
         SELECT count(*)
           FROM webhook_delivery
          WHERE webhook_delivery.webhook_id = webhook.id
            AND webhook_delivery.state = 'waiting'
       ) AS waiting,
       (
         SELECT webhook_delivery.delivered_at
           FROM webhook_delivery
          WHERE webhook_delivery.webhook_id = webhook.id
            AND webhook_delivery.state = 'delivered'
          ORDER BY webhook_delivery.made_at DESC, webhook_delivery.id DESC
          LIMIT 1
       ) AS last_delivered_at
  FROM webhook
 WHERE webhook.state <> 'removed'
   AND (%(webhook_id)s::uuid IS NULL OR webhook.id = %(webhook_id)s)
   AND (%(client_id)s::bigint IS NULL OR webhook.client_id = %(client_id)s)
 ORDER BY webhook.name
 LIMIT %(rows_max)s;

-- name: select_deliveries
-- One page of a webhook's deliveries, newest first.
SELECT webhook_delivery.id, webhook_delivery.event_id, webhook_event.type,
       webhook_delivery.made_at, webhook_delivery.state, webhook_delivery.attempts,
       webhook_delivery.due_at, webhook_delivery.attempted_at, webhook_delivery.status,
       webhook_delivery.failure, webhook_delivery.latency_ms
  FROM webhook_delivery
  INNER JOIN webhook_event ON webhook_event.id = webhook_delivery.event_id
 WHERE webhook_delivery.webhook_id = %(webhook_id)s
   AND (%(state)s::text IS NULL OR webhook_delivery.state = %(state)s)
   AND (
     %(after_at)s::timestamptz IS NULL
     OR (webhook_delivery.made_at, webhook_delivery.id)
        < (%(after_at)s::timestamptz, %(after_id)s::uuid)
   )
 ORDER BY webhook_delivery.made_at DESC, webhook_delivery.id DESC
 LIMIT %(rows_max)s;

-- name: requeue_delivery
-- Send a message again, whatever became of it before.
UPDATE webhook_delivery
   SET state = 'waiting', attempts = 0, due_at = %(now)s, expires_at = %(expires_at)s,
       delivered_at = NULL
 WHERE id = %(delivery_id)s
   AND webhook_id = %(webhook_id)s
RETURNING event_id;

-- name: claim_delivery
-- Take the delivery of a working webhook that is due for longest. Should its worker die, it is due
-- again at the end of the lease.
UPDATE webhook_delivery
   SET attempts = webhook_delivery.attempts + 1, attempted_at = %(now)s, due_at = %(leased_until)s
  FROM webhook_event, webhook
 WHERE webhook_delivery.id = (
         SELECT due.id
           FROM webhook_delivery AS due
          WHERE due.webhook_id = %(webhook_id)s
            AND due.state = 'waiting'
            AND due.due_at <= %(now)s
            AND due.expires_at > %(now)s
          ORDER BY due.due_at
          LIMIT 1
            FOR UPDATE SKIP LOCKED
       )
   AND webhook_event.id = webhook_delivery.event_id
   AND webhook.id = webhook_delivery.webhook_id
   AND webhook.state = 'working'
RETURNING webhook_delivery.id, webhook_delivery.webhook_id, webhook_delivery.event_id, webhook.url,
          webhook_event.body, webhook_delivery.attempts AS attempt,
          array(
            SELECT webhook_secret.salt
              FROM webhook_secret
             WHERE webhook_secret.webhook_id = webhook_delivery.webhook_id
               AND (webhook_secret.ends_at IS NULL OR webhook_secret.ends_at > %(now)s)
             ORDER BY webhook_secret.id DESC
             LIMIT %(secrets_max)s
          ) AS salts;

-- name: note_delivered
-- The receiver has taken a message.
UPDATE webhook_delivery
   SET state = 'delivered', due_at = NULL, delivered_at = %(now)s, status = %(status)s,
       failure = NULL, latency_ms = %(latency_ms)s
 WHERE id = %(delivery_id)s
   AND state = 'waiting';

-- name: note_failed
-- An attempt failed: there is another one, unless it would come too late.
UPDATE webhook_delivery
   SET state = CASE WHEN %(next_at)s::timestamptz < expires_at THEN 'waiting' ELSE 'failed' END,
       due_at = CASE WHEN %(next_at)s::timestamptz < expires_at THEN %(next_at)s::timestamptz END,
       status = %(status)s, failure = %(failure)s, latency_ms = %(latency_ms)s
 WHERE id = %(delivery_id)s
   AND state = 'waiting';

-- name: note_well
-- A webhook's last attempt went well.
UPDATE webhook
   SET failing_since = NULL
 WHERE id = %(webhook_id)s
   AND failing_since IS NOT NULL;

-- name: note_failing
-- A webhook's last attempt failed.
UPDATE webhook
   SET failing_since = coalesce(failing_since, %(now)s)
 WHERE id = %(webhook_id)s
   AND state = 'working';

-- name: pause_gone
-- A receiver says that it is no longer there.
UPDATE webhook
   SET state = 'paused', pause_reason = 'gone', paused_at = %(now)s,
       version = version + 1
 WHERE id = %(webhook_id)s
   AND state = 'working'
RETURNING name;

-- name: pause_failing
-- Pause webhooks that have failed for too long.
UPDATE webhook
   SET state = 'paused', pause_reason = 'failing', paused_at = %(now)s,
       version = version + 1
 WHERE state = 'working'
   AND failing_since < %(failing_before)s
RETURNING id, name;

-- name: expire_deliveries
-- Give up messages whose time is over, at most so many at once.
UPDATE webhook_delivery
   SET state = 'failed', due_at = NULL, failure = coalesce(failure, 'expired')
 WHERE id = any(
         array(
           SELECT id
             FROM webhook_delivery
            WHERE state = 'waiting'
              AND expires_at <= %(now)s
            ORDER BY due_at
            LIMIT %(rows_max)s
         )
       );

-- name: select_due_webhooks
-- Working webhooks with a message that is due.
SELECT id
  FROM webhook
 WHERE state = 'working'
   AND EXISTS (
         SELECT 1
           FROM webhook_delivery
          WHERE webhook_delivery.webhook_id = webhook.id
            AND webhook_delivery.state = 'waiting'
            AND webhook_delivery.due_at <= %(now)s
       )
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: delete_old_events
-- Forget events before a time with their deliveries, at most so many at once.
DELETE FROM webhook_event
 WHERE id = any(
         array(
           SELECT id
             FROM webhook_event
            WHERE occurred_at < %(before)s
            ORDER BY occurred_at
            LIMIT %(rows_max)s
         )
       );
