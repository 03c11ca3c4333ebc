"""One engine a store: the lock that it holds while it runs, and that the system takes back when it dies."""

from pathlib import Path

from filelock import FileLock, Timeout

from app.store.database import StoreError


def hold_store(folder: Path) -> FileLock:
    """Hold the store's lock until `release` is called. Raises StoreError while another engine has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "engine.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreError(
            f"another server, or a training command, is using the store at {folder}. Nothing was changed. "
            "Stop it, or name another folder in RESNET_EXPLORER_STORE."
        ) from None
    return lock
