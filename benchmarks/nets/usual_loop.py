"""The usual loop, as tutorials write it: DataLoader, PIL transforms, float32, eager, `.item()` every step.

ResNet-20 for CIFAR-10 (He et al. 2015, section 4.2) from torchvision's own BasicBlock, option A by a padded slice.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.models.resnet import BasicBlock

from app.data.images import Images


class Pictures(Dataset[tuple[Tensor, int]]):
    """The training images as `torchvision.datasets.CIFAR10` gives them: an array, a PIL image for each item."""

    def __init__(self, images: Images) -> None:
        self.data: np.ndarray = images.train.permute(0, 2, 3, 1).contiguous().cpu().numpy()  # N×32×32×3, uint8
        self.targets: list[int] = images.train_labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(images.info.mean, images.info.std),
            ]
        )

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]

    def __len__(self) -> int:
        return len(self.data)


class OptionA(nn.Module):
    """The shortcut without parameters where shapes change."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = channels // 4

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W → N×2C×H/2×W/2."""
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))


def resnet20(classes: int = 10) -> nn.Sequential:
    """ResNet-20, width 16, as in the paper: 269,722 parameters."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    inputs = 16
    for width in (16, 32, 64):
        for _ in range(3):
            reshapes = inputs != width
            layers.append(BasicBlock(inputs, width, 2 if reshapes else 1, OptionA(width) if reshapes else None))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


class UsualLoop:
    """One net and its DataLoader, a step at a time."""

    def __init__(self, images: Images, workers: int, device: str, batch: int = 128) -> None:
        self.device, self.workers = device, workers
        self.net = resnet20(images.info.classes).to(device).train()
        self.sgd = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        self.loader: DataLoader[Any] = DataLoader(
            Pictures(images), batch, shuffle=True, num_workers=workers, drop_last=True, pin_memory=device == "cuda"
        )
        self._batches = self._endless()

    @property
    def prefetched(self) -> int:
        """Batches that may lie ready: as many steps wait for no image."""
        return (self.loader.prefetch_factor or 0) * self.workers

    def step(self) -> tuple[float, float]:
        """One update. Returns the loss and the error in percent before it."""
        x, y = next(self._batches)
        return self.learn(x, y)

    def learn(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """The step itself, on a given batch."""
        x, y = x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)
        self.sgd.zero_grad()
        logits = self.net(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        self.sgd.step()
        return loss.item(), 100 * (logits.argmax(1) != y).float().mean().item()

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self.loader

    def close(self) -> None:
        """Let the loader's workers go."""
        self._batches = iter(())
