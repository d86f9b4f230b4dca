-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The outbox of one device. Numbers are given and events stored in one transaction.
CREATE TABLE outbox (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    outbox_id TEXT NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    acknowledged_seq INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged_seq <= last_seq),
    pictures_dropped INTEGER NOT NULL DEFAULT 0,
    picture_bytes INTEGER NOT NULL DEFAULT 0 CHECK (picture_bytes >= 0)
) STRICT;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    boot_id TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    payload BLOB NOT NULL,
    stream TEXT NOT NULL DEFAULT 'passage'
) STRICT;

CREATE TABLE picture (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
    jpeg BLOB NOT NULL,
    event_id TEXT
) STRICT;

-- Pictures that were given up and of which the centre was not told yet.
CREATE TABLE lost_picture (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    fate TEXT NOT NULL,
    given_up_at_us INTEGER NOT NULL
) STRICT;

-- The sum is kept by the database itself, so that no path can forget it.
CREATE TRIGGER picture_added AFTER INSERT ON picture BEGIN
    UPDATE outbox SET picture_bytes = picture_bytes + NEW.size_bytes;
END;

CREATE TRIGGER picture_removed AFTER DELETE ON picture BEGIN
    UPDATE outbox SET picture_bytes = picture_bytes - OLD.size_bytes;
END;
