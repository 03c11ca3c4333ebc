"""One engine a store: the lock that it holds while it runs, and that the system takes back when it dies."""

from pathlib import Path

from filelock import FileLock, Timeout

from app.store.database import StoreError


def hold_store(folder: Path) -> FileLock:
    """Hold the store's lock until `release` is called, on any thread. Raises StoreError while another engine has it.

    The same where the folder cannot be written, or its disk knows no locks.
    """
    # Never a marker file in place of the system's lock: it would outlive a process that is killed.
    lock = FileLock(folder / "engine.lock", thread_local=False, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreError(
            f"another server, or a training command, is using the store at {folder}. Nothing was changed. "
            "Stop it, or name another folder in RESNET_EXPLORER_STORE."
        ) from None
    except OSError as error:
        raise StoreError(
            f"the store at {folder} cannot be held ({error}); nothing was changed. "
            "Name a folder of a local disk that can be written in RESNET_EXPLORER_STORE."
        ) from error
    return lock
