"""The image pool of CycleGAN's discriminators."""

import torch
from torch import Tensor


class ImagePool:
    """History of generated images that a discriminator is shown (Shrivastava et al. 2017).

    Until `capacity` images are stored, each image is stored and shown. From then on each is, with
    probability 1/2, shown as it is, or exchanged for a stored one, which is shown instead.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """(n, 3, H, W) just generated to as many that the discriminator is to see."""
        if self.capacity == 0:
            return images.detach()
        shown = []
        for image in images.detach():
            if len(self.images) < self.capacity:
                self.images.append(image.clone())  # a view would keep its whole batch alive
                shown.append(image)
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.capacity, (), generator=rng))
                shown.append(self.images[place])
                self.images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)
