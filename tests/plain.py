"""The methods' training steps once more, as one would write them with nothing but torch.

Independent of colorize/methods: the order of operations of the authors' code (generators before
discriminators in CycleGAN, after them in StarGAN), no accumulation, no precision, no compiling.
Tests compare the two in float64; benchmarks/training.py times one against the other.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorize.color.bins import CENTERS


def plain(method: nn.Module) -> "Plain":
    """A plain copy of a model: networks with the same weights, fresh optimizers."""
    return PLAIN[method.p.method](method)


class Plain:
    def __init__(self, method: nn.Module):
        self.p = method.p
        for name, network in method.named_children():
            setattr(self, name, copy.deepcopy(network).requires_grad_(True).train())

    def adam(self, *networks: nn.Module, betas=(0.5, 0.999), weight_decay=0.0):
        weights = [weight for network in networks for weight in network.parameters()]
        return torch.optim.Adam(weights, self.p.learning_rate, betas, weight_decay=weight_decay)


class Pool:
    """`--pool_size` of CycleGAN, with the random numbers of ours."""

    def __init__(self, size: int):
        self.size, self.images = size, []

    def query(self, images: Tensor, rng: torch.Generator) -> Tensor:
        if self.size == 0:
            return images.detach()
        shown = []
        for image in images.detach().split(1):
            if len(self.images) < self.size:
                self.images.append(image)
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.size, (), generator=rng))
                self.images[place], image = image, self.images[place]
            shown.append(image)
        return torch.cat(shown)


def to_network(image: Tensor) -> Tensor:
    image = image.to(torch.get_default_dtype()) / 127.5 - 1
    return torch.cat([image] * 3, dim=1) if image.shape[1] == 1 else image


def mse_to(scores: Tensor, value: float) -> Tensor:
    return ((scores - value) ** 2).mean()


def ones(scores: Tensor) -> Tensor:
    return torch.ones_like(scores).detach()


def log_sigmoid(scores: Tensor) -> Tensor:
    return -torch.log1p(torch.exp(-scores))


def adversarial(p, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What the generator minimizes."""
    if p.gan_loss == "vanilla":
        return F.binary_cross_entropy(torch.sigmoid(critic(fake)), ones(critic(fake)))
    if p.gan_loss == "lsgan":
        return mse_to(critic(fake), 1)
    if p.gan_loss == "hinge":
        return -critic(fake).mean()
    return -log_sigmoid(critic(fake) - critic(real)).mean()


def of_discriminator(p, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    if p.gan_loss == "vanilla":
        of_real, of_fake = torch.sigmoid(critic(real)), torch.sigmoid(critic(fake))
        loss = F.binary_cross_entropy(of_real, ones(of_real)) * 0.5
        loss = loss + F.binary_cross_entropy(of_fake, 0 * ones(of_fake)) * 0.5
    elif p.gan_loss == "lsgan":
        loss = (mse_to(critic(real), 1) + mse_to(critic(fake), 0)) * 0.5
    elif p.gan_loss == "hinge":
        loss = (1 - critic(real)).clamp(min=0).mean() + (1 + critic(fake)).clamp(min=0).mean()
    else:
        loss = -log_sigmoid(critic(real) - critic(fake)).mean()
    if p.penalty_weight > 0:
        loss = loss + p.penalty_weight / 2 * (slope(critic, real) + slope(critic, fake))
    return loss


def slope(critic: nn.Module, images: Tensor) -> Tensor:
    """Image by image."""
    found = []
    for image in images.detach().split(1):
        image.requires_grad_(True)
        scores = critic(image)[0]
        gradient = torch.autograd.grad(scores.sum(), image, create_graph=True)[0]
        found.append((gradient**2).sum() / scores.numel())
    return sum(found) / len(found)


def descend(optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def frozen(frozen: bool, *networks: nn.Module) -> None:
    for network in networks:
        network.requires_grad_(not frozen)


class GAN(Plain):
    def __init__(self, method):
        super().__init__(method)
        self.of_g, self.of_d = self.adam(self.G), self.adam(self.D)
        self.pool = Pool(self.p.pool)

    def step(self, batch, number, rng):
        gray, real = to_network(batch["gray"]), to_network(batch["color"])
        frozen(True, self.D)
        fake = self.G(gray)
        loss = adversarial(self.p, self.D, real, fake)
        descend(self.of_g, loss)
        frozen(False, self.D)
        return {"loss": loss, "discriminator": self.discriminate(real, self.pool.query(fake, rng))}

    def discriminate(self, real, shown):
        of_d = of_discriminator(self.p, self.D, real, shown)
        descend(self.of_d, of_d)
        return of_d


class LabGAN(GAN):
    """G makes ab of L; D sees both."""

    def step(self, batch, number, rng):
        lightness = lightness_of_gray(batch["gray"]) / 50 - 1
        lab = rgb_to_lab(batch["color"])
        real = torch.cat((lab[:, :1] / 50 - 1, lab[:, 1:] / 110), dim=1)
        frozen(True, self.D)
        ab = self.G(lightness)
        fake = torch.cat((lightness, ab), dim=1)
        losses = {"adversarial": adversarial(self.p, self.D, real, fake)}
        loss = losses["adversarial"] + self.content(losses, ab, real)
        descend(self.of_g, loss)
        frozen(False, self.D)
        losses["discriminator"] = self.discriminate(real, self.pool.query(fake, rng))
        return {"loss": loss} | losses


class Pix2pixLab(LabGAN):
    def content(self, losses, ab, real):
        losses["l1"] = (ab - real[:, 1:]).abs().mean()
        return self.p.l1_weight * losses["l1"]


class CycleGANLab(LabGAN):
    """The color cycle: from color to its L and to color again."""

    def content(self, losses, ab, real):
        if self.p.cycle_weight == 0:
            return 0
        losses["cycle_color"] = (self.G(real[:, :1]) - real[:, 1:]).abs().mean()
        return self.p.cycle_weight * losses["cycle_color"]


class NoGANLab(LabGAN):
    """Of 4 steps as the tests have it: one or two of G alone, one of D alone, then adversarial."""

    def __init__(self, method):
        super().__init__(method)
        self.of_l2 = self.adam(self.G, betas=(0.9, 0.999))
        self.of_game, self.of_d = self.of_d, self.adam(self.D)

    def step(self, batch, number, rng):
        first, then = self.p.l2_share * self.p.steps, self.p.critic_share * self.p.steps
        if number > first + then:
            self.of_d = self.of_game
            return super().step(batch, number, rng)
        lab = rgb_to_lab(batch["color"])
        lightness = lightness_of_gray(batch["gray"]) / 50 - 1
        ab = self.G(lightness)
        if number <= first:
            loss = 0.5 * ((ab - lab[:, 1:] / 110) ** 2).sum(1).mean()
            descend(self.of_l2, loss)
            return {"loss": loss, "l2": loss}
        real = torch.cat((lab[:, :1] / 50 - 1, lab[:, 1:] / 110), dim=1)
        fake = torch.cat((lightness, ab), dim=1).detach()
        return {"discriminator": self.discriminate(real, fake)}

    def content(self, losses, ab, real):
        losses["l2"] = 0.5 * ((ab - real[:, 1:]) ** 2).sum(1).mean()
        return self.p.l2_weight * losses["l2"]


class CycleGAN(Plain):
    def __init__(self, method):
        super().__init__(method)
        self.of_g = self.adam(self.G, self.F)
        self.of_d = self.adam(self.D_color, self.D_gray)
        self.pool_color, self.pool_gray = Pool(self.p.pool), Pool(self.p.pool)

    def step(self, batch, number, rng):
        p = self.p
        a, b = to_network(batch["gray"]), to_network(batch["color"])
        # Forward
        fake_b = self.G(a)
        rec_a = self.F(fake_b)
        fake_a = self.F(b)
        rec_b = self.G(fake_a)
        # Generators
        frozen(True, self.D_color, self.D_gray)
        self.of_g.zero_grad()
        losses = {}
        loss = 0
        if p.identity_weight > 0:
            losses["identity_color"] = (self.G(b) - b).abs().mean()
            losses["identity_gray"] = (self.F(a) - a).abs().mean()
            loss = loss + losses["identity_color"] * p.cycle_weight * p.identity_weight
            loss = loss + losses["identity_gray"] * p.cycle_weight * p.identity_weight
        losses["adversarial_color"] = adversarial(p, self.D_color, b, fake_b)
        losses["adversarial_gray"] = adversarial(p, self.D_gray, a, fake_a)
        losses["cycle_gray"] = (rec_a - a).abs().mean()
        losses["cycle_color"] = (rec_b - b).abs().mean()
        loss = loss + losses["adversarial_color"] + losses["adversarial_gray"]
        loss = loss + (losses["cycle_gray"] + losses["cycle_color"]) * p.cycle_weight
        loss.backward()
        self.of_g.step()
        # Discriminators
        frozen(False, self.D_color, self.D_gray)
        self.of_d.zero_grad()
        for name, network, real, fake, pool in (
            ("discriminator_color", self.D_color, b, fake_b, self.pool_color),
            ("discriminator_gray", self.D_gray, a, fake_a, self.pool_gray),
        ):
            losses[name] = of_discriminator(p, network, real, pool.query(fake, rng))
            losses[name].backward()
        self.of_d.step()
        return {"loss": loss} | losses


class Domains(Plain):
    """What all StarGANs do outside their games, one image at a time."""

    def __init__(self, method):
        super().__init__(method)
        self.of_g, self.of_d = self.adam(self.G), self.adam(self.D)

    def made(self, x, domain):
        planes = torch.zeros(len(x), len(self.p.domains), *x.shape[2:]).to(x)
        for i, d in enumerate(domain):
            planes[i, d] = 1
        out = self.G(torch.cat((x, planes), 1))
        return x + out if getattr(self.p, "residual", False) else out

    def targets(self, domain, rng):
        if self.p.target_sampling == "other":
            count = len(self.p.domains)
            further = torch.randint(1, count, domain.shape, generator=rng)
            others = [(int(d) + int(f)) % count for d, f in zip(domain, further, strict=True)]
            return torch.tensor(others).to(domain)
        return domain[torch.randperm(len(domain), generator=rng).to(domain.device)]

    def content(self, x, domain, target, fake, losses):
        """Of G's loss what is not adversarial; adds its parts to `losses`."""
        p, back = self.p, self.made(fake, domain)
        whole, plain = 0, 0
        for i, (d, t) in enumerate(zip(domain, target, strict=True)):
            of, to = p.domains[d], p.domains[t]
            lossy = to in ("gray", "sepia") and of not in ("gray", "sepia")
            off = (x[i] - back[i]).abs().mean() / len(x)
            plain = plain + off
            whole = whole + off * (
                p.lossy_reconstruction_weight if lossy else p.reconstruction_weight
            )
        losses["reconstruction"] = plain
        if getattr(p, "lightness_weight", 0):
            off = 0
            for i, (d, t) in enumerate(zip(domain, target, strict=True)):
                if "night" not in (p.domains[d], p.domains[t]):
                    dark = (of_rgb(fake[i : i + 1]) - of_rgb(x[i : i + 1])).abs().mean() / 50
                    off = off + dark / len(x)
            losses["lightness"] = off
            whole = whole + p.lightness_weight * off
        return whole

    def generators_step(self, loss, losses):
        self.of_g.zero_grad()
        self.of_d.zero_grad()
        loss.backward()
        self.of_g.step()
        losses["loss"] = loss


def of_rgb(image: Tensor) -> Tensor:
    """L of RGB in [-1, 1]."""
    value = (image + 1) / 2
    linear = torch.where(
        value > 0.04045, ((value.clamp(min=0) + 0.055) / 1.055) ** 2.4, value / 12.92
    )
    red, green, blue = linear.unbind(1)
    return 116 * cube_root(0.212671 * red + 0.715160 * green + 0.072169 * blue) - 16


class StarGAN(Domains):
    def step(self, batch, number, rng):
        p = self.p
        x, domain = to_network(batch["image"]), batch["domain"]
        target = self.targets(domain, rng)
        alpha = torch.rand((len(x), 1, 1, 1), generator=rng).to(x)
        losses = {}
        # Discriminator
        source, logits = self.D(x)
        losses["classification_real"] = F.cross_entropy(logits, domain)
        fake = self.made(x, target).detach()
        losses["wasserstein"] = self.D(fake)[0].mean() - source.mean()
        hat = (alpha * x + (1 - alpha) * fake).requires_grad_(True)
        of_hat = self.D(hat)[0]
        slope = torch.autograd.grad(of_hat, hat, torch.ones_like(of_hat), create_graph=True)[0]
        length = (slope.view(len(slope), -1) ** 2).sum(1).sqrt()
        losses["gradient_penalty"] = ((length - 1) ** 2).mean()
        of_d = losses["wasserstein"] + p.classification_weight * losses["classification_real"]
        of_d = of_d + p.gradient_penalty_weight * losses["gradient_penalty"]
        self.of_g.zero_grad()
        self.of_d.zero_grad()
        of_d.backward()
        self.of_d.step()
        losses["discriminator"] = of_d
        # Generator
        if number % p.n_critic == 0:
            fake = self.made(x, target)
            source, logits = self.D(fake)
            losses["adversarial"] = -source.mean()
            losses["classification_fake"] = F.cross_entropy(logits, target)
            loss = losses["adversarial"] + self.content(x, domain, target, fake, losses)
            loss = loss + p.classification_weight * losses["classification_fake"]
            self.generators_step(loss, losses)
        return losses


class Judged(Domains):
    """Of each image the map of its own domain, by non-saturating cross-entropy with logits."""

    def __init__(self, method):
        super().__init__(method)
        self.of_g, self.of_d = (self.adam(each, betas=(0.0, 0.99)) for each in (self.G, self.D))

    def scores(self, image, source, domain):
        """Of patches of both sizes, small ones first."""
        count = len(self.p.domains) if self.p.discriminator_per == "direction" else 0
        judges = [count * s + d for s, d in zip(source.tolist(), domain.tolist(), strict=True)]
        return [torch.stack([m[i, j] for i, j in enumerate(judges)]) for m in self.D(image)]

    def entropy(self, scores, wanted):
        each = [F.binary_cross_entropy_with_logits(s, torch.full_like(s, wanted)) for s in scores]
        return each[0] + each[1]

    def step(self, batch, number, rng):
        p = self.p
        x, domain = self.seen(batch["image"]), batch["domain"]
        target = self.targets(domain, rng)
        losses = {}
        # Discriminator
        x.requires_grad_(True)
        real = self.scores(x, target, domain)
        fake = self.scores(self.made(x.detach(), target).detach(), domain, target)
        losses["real"], losses["fake"] = self.entropy(real, 1.0), self.entropy(fake, 0.0)
        of_d = losses["real"] + losses["fake"]
        if p.penalty_weight:
            (slope,) = torch.autograd.grad(real[0].sum() + real[1].sum(), x, create_graph=True)
            losses["r1"] = (slope**2).sum() / (real[0].numel() + real[1].numel())
            of_d = of_d + p.penalty_weight * losses["r1"] / 2
        descend(self.of_d, of_d)
        losses["discriminator"] = of_d
        # Generator
        if number % p.n_critic == 0:
            x = x.detach()
            fake = self.made(x, target)
            losses["adversarial"] = self.entropy(self.scores(fake, domain, target), 1.0)
            loss = losses["adversarial"] + self.content(x, domain, target, fake, losses)
            self.generators_step(loss, losses)
        return losses


class StarGANRGB(Judged):
    def seen(self, image):
        return to_network(image)


class StarGANLab(Judged):
    def seen(self, image):
        lightness, a, b = rgb_to_lab(image).unbind(1)
        return torch.stack((lightness / 50 - 1, a / 110, b / 110), 1)

    def made(self, x, domain):
        return torch.cat((x[:, :1], super().made(x, domain)), 1)


class ZhangL2(Plain):
    """L2 on ab at a quarter of the size."""

    def __init__(self, method):
        super().__init__(method)
        self.of_g = self.adam(self.G, betas=(0.9, 0.99), weight_decay=self.p.weight_decay)

    def step(self, batch, number, rng):
        lightness = lightness_of_gray(batch["gray"])
        lab = rgb_to_lab(batch["color"])
        ab = lab[:, 1:].unflatten(-1, (-1, 4)).unflatten(-3, (-1, 4)).mean((-3, -1))
        predicted = self.G(lightness / 50 - 1) * 110
        loss = 0.5 * ((predicted - ab) ** 2).sum(1).mean()
        descend(self.of_g, loss)
        return {"loss": loss}


class ZhangClass(Plain):
    """Every pixel's 313 shares written out, 5 of them not 0."""

    def __init__(self, method):
        super().__init__(method)
        self.of_g = self.adam(self.G, betas=(0.9, 0.99), weight_decay=self.p.weight_decay)
        self.rarity = method.rarity

    def step(self, batch, number, rng):
        lightness = lightness_of_gray(batch["gray"])
        lab = rgb_to_lab(batch["color"])
        ab = lab[:, 1:].unflatten(-1, (-1, 4)).unflatten(-3, (-1, 4)).mean((-3, -1))
        centers = torch.tensor(CENTERS, dtype=ab.dtype)
        squared = ((ab[:, None] - centers[None, :, :, None, None]) ** 2).sum(2)  # (n, 313, h, w)
        fifth = squared.sort(1).values[:, 4:5]
        near = torch.where(squared <= fifth, torch.exp(-squared / (2 * 5**2)), 0)
        z = near / near.sum(1, keepdim=True)
        probabilities = torch.softmax(self.G(lightness / 50 - 1), 1)
        loss = -(self.rarity[squared.argmin(1)] * (z * probabilities.log()).sum(1)).mean()
        descend(self.of_g, loss)
        return {"loss": loss}


class ResnetL2(Plain):
    """L2 on ab at full size."""

    def __init__(self, method):
        super().__init__(method)
        self.of_g = self.adam(self.G, betas=(0.9, 0.999))

    def step(self, batch, number, rng):
        ab = self.G(lightness_of_gray(batch["gray"]) / 50 - 1) * 110
        loss = 0.5 * ((ab - rgb_to_lab(batch["color"])[:, 1:]) ** 2).sum(1).mean()
        descend(self.of_g, loss)
        return {"loss": loss}


def rgb_to_lab(image: Tensor) -> Tensor:
    """sRGB bytes to Lab by the formulas of IEC 61966-2-1 and CIE 1976, pixel by pixel."""
    red, green, blue = linear_light(image).unbind(1)
    x = (0.412453 * red + 0.357580 * green + 0.180423 * blue) / 0.95047
    y = 0.212671 * red + 0.715160 * green + 0.072169 * blue
    z = (0.019334 * red + 0.119193 * green + 0.950227 * blue) / 1.08883
    fx, fy, fz = map(cube_root, (x, y, z))
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), 1)


def lightness_of_gray(gray: Tensor) -> Tensor:
    """L of gray bytes, whose luminance is their linear value."""
    return 116 * cube_root(linear_light(gray)) - 16


def linear_light(image: Tensor) -> Tensor:
    value = image.to(torch.get_default_dtype()) / 255
    return torch.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)


def cube_root(t: Tensor) -> Tensor:
    return torch.where(t > 0.008856, t.clamp(min=1e-12) ** (1 / 3), 7.787 * t + 16 / 116)


PLAIN = {
    "zhang_l2": ZhangL2,
    "zhang_class": ZhangClass,
    "resnet_l2": ResnetL2,
    "gan": GAN,
    "gan_bottleneck": GAN,
    "cyclegan": CycleGAN,
    "pix2pix_lab": Pix2pixLab,
    "cyclegan_lab": CycleGANLab,
    "nogan_lab": NoGANLab,
    "stargan": StarGAN,
    "stargan_rgb": StarGANRGB,
    "stargan_lab": StarGANLab,
}
