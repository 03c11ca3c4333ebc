"""The store's tables, and how older ones become them."""

import sqlite3

from app.store.integrity.seals import seal_anew

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    spec        TEXT NOT NULL,            -- RunSpec as JSON
    status      TEXT NOT NULL,
    origin      TEXT NOT NULL,            -- trained, reference, imported
    created     REAL NOT NULL,            -- seconds since 1970
    attempt     INTEGER NOT NULL DEFAULT 0,
    until       INTEGER,                  -- stop there, if before the end
    message     TEXT NOT NULL DEFAULT '', -- what went wrong, and what was kept
    step        INTEGER NOT NULL DEFAULT 0,   -- updates made and stored
    checkpoint  INTEGER,                  -- newest step to go on from
    started     TEXT,                     -- newest RunStarted as JSON: layers, lengths, device, precision
    owner       TEXT NOT NULL DEFAULT '', -- whose browser asked for it, as a hash; empty: the command line
    pinned      INTEGER NOT NULL DEFAULT 0,   -- 1: the teacher keeps it on top
    cut_asked   TEXT                      -- the cut to go on with, not yet in force; NULL: none
) STRICT;
CREATE TABLE IF NOT EXISTS steps (
    run     TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    step    INTEGER NOT NULL,
    loss    REAL,                         -- NULL: not a number
    error   REAL NOT NULL,                -- percent, of the step's batch
    lr      REAL NOT NULL,
    seconds REAL NOT NULL,
    norms   BLOB NOT NULL,                -- float32, little-endian, one per weight layer
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs (
    run               TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    step              INTEGER NOT NULL,
    epoch             INTEGER NOT NULL,
    test_error        REAL NOT NULL,      -- percent
    test_loss         REAL,
    test_images       INTEGER NOT NULL,
    images_per_second REAL NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moments (
    run  TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cuts (         -- from the step on
    run  TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    cut  TEXT NOT NULL,                   -- as in an address; empty: every block is back
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (     -- one row: by what name engines of this store are known to workers
    id TEXT NOT NULL
) STRICT;
INSERT INTO identity SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM identity);
CREATE TABLE IF NOT EXISTS uploads (      -- whose data sets lie in the folder data
    name  TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (name, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (     -- divergence: at most one a run
    run   TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nicknames (
    owner TEXT PRIMARY KEY,               -- as in runs
    name  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (      -- what was asked of a run, or of none
    key      TEXT PRIMARY KEY,
    run      TEXT REFERENCES runs(id) ON DELETE CASCADE,
    question TEXT NOT NULL,               -- as JSON
    result   BLOB NOT NULL,               -- .npz, see app/results/
    created  REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_answers (  -- those that show somebody's own picture: whose
    key   TEXT PRIMARY KEY REFERENCES answers(key) ON DELETE CASCADE,
    owner TEXT NOT NULL                   -- as in runs
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (      -- SHA-256 of the weights that a run may go on from, or be asked about
    run      TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    step     INTEGER NOT NULL,
    weights  TEXT NOT NULL,
    momentum TEXT NOT NULL,               -- empty: weights from elsewhere have none
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seals (        -- see app/store/integrity/seals.py
    place TEXT NOT NULL,                  -- the table
    run   TEXT NOT NULL,                  -- empty: rows of no run
    seal  INTEGER NOT NULL,
    PRIMARY KEY (place, run)
) STRICT, WITHOUT ROWID;
"""

# What brings the tables to each version from the one before it. After any, the rows are sealed as they are.
MIGRATIONS = {
    2: "ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    3: "ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
    4: "ALTER TABLE runs ADD COLUMN cut_asked TEXT",
    5: """DELETE FROM answers WHERE question LIKE '%"own:%'""",  # own pictures of nobody knows whom
    6: "DELETE FROM seals",  # there were none; a program of before would write past them
}
VERSION = max(MIGRATIONS)


class NewerVersionError(RuntimeError):
    """A newer version of this program has written the file."""


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables, or bring those of an older version up to date. Raises NewerVersionError."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise NewerVersionError("a newer version of this program has written it")
    db.executescript(SCHEMA)
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for target in range(version + 1 if version else VERSION + 1, VERSION + 1):
            db.execute(MIGRATIONS[target])
        if version != VERSION:
            seal_anew(db)
            db.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
