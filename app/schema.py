"""The store's tables."""

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
    started     TEXT                      -- newest RunStarted as JSON: layers, lengths, device, precision
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
CREATE TABLE IF NOT EXISTS outcomes (     -- divergence: at most one a run
    run   TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (      -- what was asked of a run, or of none
    key      TEXT PRIMARY KEY,
    run      TEXT REFERENCES runs(id) ON DELETE CASCADE,
    question TEXT NOT NULL,               -- as JSON
    result   BLOB NOT NULL,               -- .npz, see app/results.py
    created  REAL NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""
