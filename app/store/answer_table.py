"""Answers to questions, kept as long as the run that they are about."""

import sqlite3
import time

from app.store.database import Database, StoreError


class AnswerTable:
    """The table of answers, by the keys of their questions. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> bytes | None:
        """What was answered to the question of this key, if anything."""
        rows = self._database.rows("SELECT result FROM answers WHERE key = ?", key)
        return rows[0]["result"] if rows else None

    def has(self, key: str) -> bool:
        """True if there is one: without reading it."""
        return bool(self._database.rows("SELECT 1 FROM answers WHERE key = ?", key))

    def keep(self, key: str, run: str, question: str, result: bytes) -> None:
        """Keep an answer as long as its run. Raises StoreError where the disk is full or the run is gone."""
        try:
            with self._database.transaction() as db:
                row = (key, run or None, question, result, time.time())
                db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise StoreError(f"an answer could not be written: {error}") from error
