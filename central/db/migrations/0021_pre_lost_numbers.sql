-- SPDX-License-Identifier: AGPL-3.0-or-later
-- How many numbers of a device the centre has given up, for the pages and the list of devices.

CREATE VIEW device_lost AS
SELECT device_stream.device_id,
       sum(upper(hole.numbers) - lower(hole.numbers))::bigint AS lost_numbers
  FROM device_stream
  INNER JOIN device_gap
    ON device_gap.stream_id = device_stream.id
      AND device_gap.overdue_at IS NOT NULL
      AND device_gap.filled_at IS NULL
  CROSS JOIN LATERAL unnest(
         int8multirange(int8range(device_gap.first_seq, device_gap.last_seq, '[]'))
         - device_stream.held
       ) AS hole (numbers)
 GROUP BY device_stream.device_id;
COMMENT ON VIEW device_lost IS
  'Devices with numbers that are overdue and have not come, and how many; others have no row.';
