"""Settings, each by an environment variable: RESNET_EXPLORER_DATA, RESNET_EXPLORER_STORE, …"""

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"
PREFIX = "RESNET_EXPLORER_"


class Settings(BaseModel):
    """Where things are kept and how much may run at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(default=ROOT / "data", description="where torchvision's data sets live or are downloaded to")
    store: Path = Field(default=ROOT / "store", description="runs, weights, results")
    scheduler: str = Field(default="", description="a Dask scheduler's address; empty: workers on this machine")
    workers: int = Field(default=0, ge=0, le=64, description="runs at once; 0: two, or one on a single core")
    max_steps: int = Field(default=200_000, ge=1, description="longest run that may be asked for, in steps")
    max_parameters: int = Field(default=100_000_000, ge=1, description="largest net that may be trained")
    upload_mb: int = Field(default=50, ge=1, le=1000, description="largest zip that may be uploaded, in MB")

    weights_url: str = Field(
        default="https://download.pytorch.org/models",
        pattern=r"^https?://",
        description="where torchvision's weights are fetched from; a mirror will do",
    )

    @property
    def runs_at_once(self) -> int:
        """Training workers of the embedded engine."""
        return self.workers or min(2, os.cpu_count() or 1)


def load() -> Settings:
    """The settings of this process's environment. Raises ValueError naming the variable that is wrong."""
    values: dict[str, Any] = {
        field: os.environ[PREFIX + field.upper()]
        for field in Settings.model_fields
        if os.environ.get(PREFIX + field.upper())
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        variable = PREFIX + str(first["loc"][0]).upper()
        raise ValueError(f"{variable}={first['input']!r}: {first['msg']}") from None
    return settings.model_copy(
        update={"data": settings.data.expanduser().resolve(), "store": settings.store.expanduser().resolve()}
    )
