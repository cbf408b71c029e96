-- One migration. Two accounts between which is copied.
CREATE TABLE pair (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    UNIQUE (source, destination)
) STRICT;

-- A mailbox of the destination, as far as anything was ever mapped to it.
CREATE TABLE place (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pair INTEGER NOT NULL REFERENCES pair (id),
    mailbox TEXT NOT NULL,
    UNIQUE (pair, mailbox)
) STRICT;

-- A mailbox of the source and the place that it is mapped to.
CREATE TABLE pairing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pair INTEGER NOT NULL REFERENCES pair (id),
    source TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES place (id),
    UNIQUE (pair, source)
) STRICT;

-- Where both mailboxes stood when every message was final. Key sets are sequence sets (RFC 9051, section 9).
CREATE TABLE checkpoint (
    pairing INTEGER PRIMARY KEY REFERENCES pairing (id),
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    source_keys TEXT NOT NULL,
    destination_keys TEXT NOT NULL,
    tally TEXT NOT NULL
) STRICT;

-- Generations (UIDVALIDITY) of the source mailbox in which there are messages, in the order of their coming.
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pairing INTEGER NOT NULL REFERENCES pairing (id),
    epoch INTEGER NOT NULL,
    UNIQUE (pairing, epoch)
) STRICT;

-- The durable record of one source message. No subject, no address, no content.
-- outcome, verified: numbers of hikyaku_core. algorithm: 1 = BLAKE3-256 and head recipe 1, 0 = no hashes.
-- place: where its destination key lives, which after a change of the mapping is another one than the pairing's.
CREATE TABLE message (
    pairing INTEGER NOT NULL,
    source_epoch INTEGER NOT NULL,
    source_key INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    place INTEGER NOT NULL,
    destination_epoch INTEGER,
    destination_key INTEGER,
    octets INTEGER NOT NULL,
    algorithm INTEGER NOT NULL,
    content BLOB NOT NULL,
    head BLOB NOT NULL,
    flags TEXT NOT NULL,
    date_seconds INTEGER,
    date_offset INTEGER,
    verified INTEGER NOT NULL,
    code TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (pairing, source_epoch, source_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_place ON message (place, destination_epoch, destination_key)
    WHERE destination_key IS NOT NULL;

CREATE INDEX message_exception ON message (pairing, source_epoch, source_key)
    WHERE outcome > 2;

-- What is about to be appended: one row per batch, gone when it is settled.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pairing INTEGER NOT NULL REFERENCES pairing (id),
    source_epoch INTEGER NOT NULL,
    source_keys TEXT NOT NULL,
    destination_epoch INTEGER NOT NULL,
    destination_next INTEGER NOT NULL,
    run INTEGER NOT NULL
) STRICT;

CREATE INDEX intent_pairing ON intent (pairing);

-- One run of the program for a pair. Times are milliseconds since 1970 UTC; ended and exit are NULL until it ended.
CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    code INTEGER NOT NULL UNIQUE,
    pair INTEGER NOT NULL REFERENCES pair (id),
    kind TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    exit INTEGER,
    summary TEXT NOT NULL
) STRICT;

CREATE INDEX run_pair ON run (pair);
