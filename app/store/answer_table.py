"""Answers to questions, kept as long as the run that they are about; beside them those that come with the program."""

import sqlite3
import time
from collections.abc import Iterator

from app.store.database import Database, StoreError
from app.store.files.bundled_answers import BundledAnswers


class AnswerTable:
    """The table of answers, by the keys of their questions. Safe to use from several threads."""

    def __init__(self, database: Database, bundled: BundledAnswers) -> None:
        self._database = database
        self.bundled = bundled

    def get(self, key: str) -> bytes | None:
        """What was answered to the question of this key, if anything."""
        rows = self._database.rows("SELECT result FROM answers WHERE key = ?", key)
        return rows[0]["result"] if rows else self.bundled.get(key)

    def has(self, key: str) -> bool:
        """True if there is one: without reading it."""
        return key in self.bundled.index or bool(self._database.rows("SELECT 1 FROM answers WHERE key = ?", key))

    def everything(self) -> Iterator[tuple[str, str, bytes]]:
        """Key, question and result of each that was answered here."""
        for row in self._database.rows("SELECT key, question, result FROM answers ORDER BY key"):
            yield row["key"], row["question"], row["result"]

    def keep(self, key: str, run: str, question: str, result: bytes) -> None:
        """Keep an answer as long as its run. Raises StoreError where the disk is full or the run is gone."""
        try:
            with self._database.transaction() as db:
                row = (key, run or None, question, result, time.time())
                db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise StoreError(f"an answer could not be written: {error}") from error
