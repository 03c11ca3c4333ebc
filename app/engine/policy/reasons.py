"""What went wrong with a run, for people."""

from pathlib import Path

from app.store.database import StoreError

AWAY = (
    "The machines that train and answer cannot be reached: their scheduler is away. Everything measured is kept, and "
    "runs go on from their newest checkpoints once it is back."
)


def reason(error: BaseException | None) -> str:
    """One sentence for people, whatever went wrong."""
    if isinstance(error, OSError) and error.strerror:
        return f"The disk refused: {error.strerror} ({Path(str(error.filename)).name})."
    if isinstance(error, ValueError | StoreError):
        return str(error)
    return f"Training stopped with an error of the program ({type(error).__name__}: {error})."
