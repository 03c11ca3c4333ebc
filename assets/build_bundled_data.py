"""Build fashion-mnist-mini.npz: of each of the ten classes, the first images in the official files' order.

python assets/build_bundled_data.py FOLDER [OUT]: FOLDER holds FashionMNIST/raw/*-ubyte, as torchvision leaves them.
1,000 training and 200 test images of each class, in the official order. Prints the file's SHA-256, which
`app/data/images.py` checks. The arrays are the same everywhere; the file's bytes also depend on the zlib that wrote it.

Fashion-MNIST: Xiao, Rasul and Vollgraf 2017, Zalando SE, MIT licence (fashion-mnist-mini.LICENSE).
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

OUT = Path(__file__).with_name("fashion-mnist-mini.npz")
# The unpacked official files.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def main() -> None:
    """Read the official files, check them, write the subset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=OUT)
    asked = parser.parse_args()
    arrays = subset(asked.folder)
    np.savez_compressed(asked.out, allow_pickle=False, **arrays)
    print(f"{hashlib.sha256(asked.out.read_bytes()).hexdigest()}  {asked.out.name}")


def subset(folder: Path) -> dict[str, Bytes]:
    """The arrays of the subset: images N×1×28×28 and labels N, uint8. Raises ValueError for other files."""
    train, train_labels = _balanced(folder, "train", 1000)
    test, test_labels = _balanced(folder, "t10k", 200)
    return {"train": train, "train_labels": train_labels, "test": test, "test_labels": test_labels}


def _balanced(folder: Path, part: str, each: int) -> tuple[Bytes, Bytes]:
    images = _official(folder, f"{part}-images-idx3-ubyte", header=16).reshape(-1, 1, 28, 28)
    labels = _official(folder, f"{part}-labels-idx1-ubyte", header=8)
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:each] for label in range(10)]))
    return images[chosen], labels[chosen]


def _official(folder: Path, name: str, header: int) -> Bytes:
    content = (folder / "FashionMNIST" / "raw" / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(f"{name} is not the official file")
    return np.frombuffer(content, np.uint8, offset=header)


if __name__ == "__main__":
    main()
