"""ResNet Explorer: train small residual and plain nets live, and see why one kind trains and the other does not."""

from app.moved import install

install()
