"""Images of noise, 12×12 and grey, in three classes: enough for what does not depend on what is learnt."""

import torch

from app.data.images import Images
from app.values.datasets import DataSet

ABOUT = DataSet(
    name="own-0123456789ab",
    title="noise",
    source="upload",
    channels=1,
    size=12,
    labels=("a", "b", "c"),
    train_images=40,
    test_images=10,
    mean=(0.4,),
    std=(0.3,),
)


def noise(train: int = 40, test: int = 10, device: str = "cpu") -> Images:
    """So many training and test images; always the same."""
    generator = torch.Generator().manual_seed(1)

    def pixels(count: int) -> torch.Tensor:
        return torch.randint(0, 256, (count, 1, 12, 12), dtype=torch.uint8, generator=generator).to(device)

    def labels(count: int) -> torch.Tensor:
        return torch.randint(0, 3, (count,), generator=generator).to(device)

    about = ABOUT.model_copy(update={"train_images": train, "test_images": test})
    return Images(about, pixels(train), labels(train), pixels(test), labels(test))
