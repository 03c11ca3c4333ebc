"""Answers to questions, kept as long as the run that they are about; beside them those that come with the program.

They are kept while there is room for them.
"""

import sqlite3
import time
from collections.abc import Iterator

from app.store.database import Database, StoreError
from app.store.files.bundled_answers import BundledAnswers

# A verdict of `app.studies.reproduction` stands among them under its card's name: it is no answer to ask anew.
ASKED_ANEW = "question LIKE '{%'"


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

    def keep(self, key: str, run: str, question: str, result: bytes, owner: str = "") -> None:
        """Keep an answer as long as its run. `owner`: of the picture of their own that it shows, if it does.

        Raises StoreError where the disk is full or the run is gone.
        """
        try:
            with self._database.transaction() as db:
                row = (key, run or None, question, result, time.time())
                db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
                if owner:
                    db.execute("INSERT INTO own_answers VALUES (?, ?)", (key, owner))
        except sqlite3.IntegrityError as error:
            raise StoreError(f"an answer could not be written: {error}") from error

    def owners(self) -> list[str]:
        """Those of whose own pictures there are answers."""
        return [row["owner"] for row in self._database.rows("SELECT DISTINCT owner FROM own_answers ORDER BY owner")]

    def forget(self, owner: str) -> None:
        """Delete what was answered about their own pictures: no byte of it stays in the file."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM answers WHERE key IN (SELECT key FROM own_answers WHERE owner = ?)", (owner,))
        self._database.empty_log()

    def thin_out(self, needed: int) -> bool:
        """Delete the oldest ones until so many bytes are free. False, and all are kept, where that is not enough."""
        sizes = self._database.rows(
            f"SELECT key, length(result) + length(question) AS bytes FROM answers WHERE {ASKED_ANEW} ORDER BY created"
        )
        doomed, freed = [], 0
        for row in sizes:
            if freed >= needed:
                break
            doomed.append((row["key"],))
            freed += row["bytes"]
        if freed < needed:
            return False
        try:
            with self._database.transaction() as db:
                db.executemany("DELETE FROM answers WHERE key = ?", doomed)
            self._database.empty_log()
        except (sqlite3.OperationalError, StoreError):  # a full disk takes no deletions, either
            return False
        return True
