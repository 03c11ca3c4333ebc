"""What is known of owners, browsers or persons by their hashes: nicknames, data sets they sent, runs they share."""

import time

from app.store.database import Database
from app.store.run import Run


class OwnerTable:
    """Nicknames, uploads and shares in runs. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._nicknames: dict[str, str] | None = None  # read once, and again after a change
        self._shares: dict[str, tuple[str, ...]] | None = None  # the same

    def nicknames(self) -> dict[str, str]:
        """Nickname of each owner who has one."""
        with self._database.lock:
            if self._nicknames is None:
                self._nicknames = {row["owner"]: row["name"] for row in self._database.rows("SELECT * FROM nicknames")}
            return dict(self._nicknames)

    def set_nickname(self, owner: str, name: str) -> None:
        """Call an owner by a name; by none, if it is empty. Raises ValueError where somebody else has it."""
        with self._database.transaction() as db:
            names = self.nicknames()
            if name and any(name.casefold() == own.casefold() for other, own in names.items() if other != owner):
                raise ValueError(f"somebody else is called {name} already: take another name")
            db.execute("DELETE FROM nicknames WHERE owner = ?", (owner,))
            if name:
                db.execute("INSERT INTO nicknames VALUES (?, ?)", (owner, name))
            self._nicknames = None

    def own_upload(self, name: str, owner: str) -> None:
        """Write down that this browser sent a data set."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?)", (name, owner))

    def disown_upload(self, name: str, owner: str) -> bool:
        """Forget that it did. Returns True while somebody else did too."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM uploads WHERE name = ? AND owner = ?", (name, owner))
        return any(other == name for other, _ in self.uploads())

    def uploads(self) -> list[tuple[str, str]]:
        """The data sets that were sent, each with the browser that sent it."""
        return [(row["name"], row["owner"]) for row in self._database.rows("SELECT * FROM uploads")]

    def sharers(self, run: str) -> tuple[str, ...]:
        """Who has a share in a run, beside its owner: those who asked for the same after them, in that order."""
        with self._database.lock:
            if self._shares is None:
                self._shares = {}
                for row in self._database.rows("SELECT run, owner FROM shares ORDER BY since, owner"):
                    self._shares[row["run"]] = (*self._shares.get(row["run"], ()), row["owner"])
            return self._shares.get(run, ())

    def holders(self, run: Run) -> tuple[str, ...]:
        """Whose a run is: its owner, and after them who has a share in it."""
        return (run.owner, *self.sharers(run.id))

    def share(self, run: str, owner: str) -> None:
        """Give an owner a share in a run of somebody else's."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO shares VALUES (?, ?, ?)", (run, owner, time.time()))
            self._shares = None

    def leave(self, run: str, owner: str) -> None:
        """Take their share away; where the run is theirs, it becomes the first sharer's."""
        heirs = self.sharers(run)
        with self._database.transaction() as db:
            if heirs and owner not in heirs:
                given = db.execute("UPDATE runs SET owner = ? WHERE id = ? AND owner = ?", (heirs[0], run, owner))
                owner = heirs[0] if given.rowcount else owner
            db.execute("DELETE FROM shares WHERE run = ? AND owner = ?", (run, owner))
            self._shares = None
        self._database.changes += 1
