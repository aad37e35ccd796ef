"""Losses, schedules and updates of the methods, against their formulas."""

import contextlib
import copy
import itertools
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from colorize import color
from colorize.base import files
from colorize.base.errors import UserError
from colorize.methods.shared import adversarial, base, model, start
from colorize.methods.shared.adversarial import ImagePool
from colorize.methods.shared.start import TRAINING, Start, save_training
from colorize.networks import efficientnet_lite
from tests import plain
from tests.conftest import METHODS, small
from tests.gpu import needs_gpu

# Beside the entries as committed: what else their keys can choose
CHOICES = {
    "hinge": ("gan", {"gan_loss": "hinge", "discriminator_norm": "none", "norm": "group"}),
    "r3gan": (
        "gan",
        {"gan_loss": "relativistic", "penalty_weight": 0.3, "discriminator_norm": "group"},
    ),
    "cyclegan-r3gan": (
        "cyclegan",
        {"gan_loss": "relativistic", "penalty_weight": 3, "discriminator_norm": "none"},
    ),
    "pix2pix-r3gan": (
        "pix2pix_lab",
        {"gan_loss": "relativistic", "penalty_weight": 0.5, "norm": "none", "upsampling": "resize"},
    ),
    "cyclegan-vanilla": ("cyclegan", {"gan_loss": "vanilla", "penalty_weight": 0.5}),
    "cyclegan-resize": ("cyclegan", {"norm": "none", "upsampling": "resize"}),
    "stargan-resize": ("stargan", {"norm": "group", "upsampling": "resize"}),
    "stargan-options": (
        "stargan",
        {
            "target_sampling": "other",
            "lossy_reconstruction_weight": 2,
            "lightness_weight": 5,
            "residual": True,
        },
    ),
    "stargan_rgb-options": (
        "stargan_rgb",
        {"network": "stargan", "target_sampling": "permuted", "penalty_weight": 0},
    ),
    "cyclegan_lab_paired": ("cyclegan_lab", {"cycle_weight": 10, "norm": "group"}),
    "stargan_domains": ("stargan_rgb", {"domains": ["gray", "color", "warm", "night"]}),
    "stargan_domains-directions": (
        "stargan_rgb",
        {"domains": ["gray", "color", "warm", "night"], "discriminator_per": "direction"},
    ),
    "stargan-domains": ("stargan", {"domains": ["color", "sepia", "gray"]}),
}
# Instance normalization removes the biases before it: their gradient is rounding alone, of which
# Adam makes a step where the loss is large.
BIASES = {name: {"norm": "group"} for name in METHODS if name == "resnet_l2" or "_lab" in name}
ALL = [pytest.param(name, BIASES.get(name, {}), id=name) for name in METHODS]
ALL += [pytest.param(*choice, id=name) for name, choice in CHOICES.items()]
# Every method of ab can have the encoder of efficientnet_lite
ENCODER = {"network": "efficientnet_lite", "encoder": "lite0", "width": 8, "depth": 1}
OF_AB = ("zhang_l2", "zhang_class", "pix2pix_lab", "nogan_lab", "cyclegan_lab", "stargan_lab")
WITH_ENCODER = [
    pytest.param(name, ENCODER | {"pretrained": pretrained}, id=f"{name}-{kind}")
    for name in OF_AB
    for pretrained, kind in ((True, "pretrained"), (False, "fresh"))
]


def built(name: str, *, compiled: bool = False, **changes):
    """A small model of the committed entry `name`, and its parameters."""
    parameters = model.parse(small()[name] | changes, f"models.{name}")
    torch.manual_seed(0)
    method = model.build(parameters, 32).train()
    method.prepare_training(compiled=compiled)
    return method, parameters


def batch_for(method, count: int = 4) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=rng, dtype=torch.uint8)
    if method.sampling == "domains":
        return {"image": images, "domain": torch.arange(count) % len(method.domains)}
    gray = color.to_uint8(color.gray_of(color.to_float(images)))
    return {"gray": gray, "color": images}


def step(method, number: int = 1, seed: int = 2):
    losses = method.step(batch_for(method), number, torch.Generator().manual_seed(seed))
    return {name: loss.detach() for name, loss in losses.items()}


def start_from(method, path: Path, sha256: str | None = None) -> Start:
    """Give it the weights in a file, as training does that starts from them."""
    init_from = base.InitFrom(path=str(path), sha256=sha256 or files.sha256_of(path))
    return start.start_from(method, init_from, path, f"models.{method.p.method}")


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])


@pytest.mark.parametrize(("name", "changes"), ALL + WITH_ENCODER)
def test_a_step_moves_every_network_and_names_its_losses(name, changes):
    method, _ = built(name, **changes)
    before = {child: weights(network) for child, network in method.named_children()}
    losses = step(method, number=4)  # when all of them move
    assert all(math.isfinite(value) and value.ndim == 0 for value in losses.values())
    assert "loss" in losses
    for child, network in method.named_children():
        assert not torch.equal(weights(network), before[child]), child


@pytest.mark.parametrize("name", METHODS)
def test_output_is_rgb_in_range_and_follows_the_input(name):
    method, _ = built(name)
    gray = torch.rand(2, 1, 40, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rgb = method.eval().colorize(gray)
        ab = method.predict_ab(gray)
    assert rgb.shape == (2, 3, 40, 32)
    assert ab.shape == (2, 2, 40, 32)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert not torch.equal(rgb[0], rgb[1])
    if method.output == "ab":
        assert (color.rgb_to_lab(rgb)[:, :1] - color.lightness_of(gray)).abs().max() < 0.01


def test_zhang_l2_is_half_the_mean_squared_distance_at_a_quarter_of_the_size():
    method, _ = built("zhang_l2")
    batch = batch_for(method)
    lab = color.rgb_to_lab(color.to_float(batch["color"]))
    scaled = color.lightness_of(color.to_float(batch["gray"])) / 50 - 1
    with torch.no_grad():
        predicted = method.G(scaled) * 110
    target = lab[:, 1:].unflatten(-1, (-1, 4)).unflatten(-3, (-1, 4)).mean((-3, -1))
    expected = sum(
        0.5 * float((predicted[i, :, y, x] - target[i, :, y, x]).square().sum())
        for i in range(4)
        for y in range(8)
        for x in range(8)
    ) / (4 * 8 * 8)
    method, _ = built("zhang_l2")
    assert float(step(method)["loss"]) == pytest.approx(expected, rel=1e-4)


def test_cyclegan_sums_its_terms():
    method, _ = built("cyclegan", cycle_weight=7, identity_weight=0.3)
    losses = step(method)
    expected = losses["adversarial_color"] + losses["adversarial_gray"]
    expected += 7 * (losses["cycle_gray"] + losses["cycle_color"])
    expected += 7 * 0.3 * (losses["identity_color"] + losses["identity_gray"])
    assert float(losses["loss"]) == pytest.approx(float(expected), rel=1e-5)
    method, _ = built("cyclegan", identity_weight=0)
    assert "identity_color" not in step(method)


def test_cyclegan_terms_are_those_of_the_paper():
    method, _ = built("cyclegan")
    batch = batch_for(method)
    x = (batch["gray"].float() / 127.5 - 1).expand(-1, 3, -1, -1)
    y = batch["color"].float() / 127.5 - 1
    with torch.no_grad():
        fake = method.G(x)
        expected = {
            "adversarial_color": (method.D_color(fake) - 1).square().mean(),
            "cycle_gray": (method.F(fake) - x).abs().mean(),
            "cycle_color": (method.G(method.F(y)) - y).abs().mean(),
            "identity_color": (method.G(y) - y).abs().mean(),
            "discriminator_color": 0.5
            * ((method.D_color(y) - 1).square().mean() + method.D_color(fake).square().mean()),
        }
    losses = step(method)
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(float(value), rel=1e-4), name


def test_stargan_terms_are_those_of_the_paper():
    method, _ = built("stargan")
    batch = batch_for(method)
    x, domain = batch["image"].float() / 127.5 - 1, batch["domain"]
    rng = torch.Generator().manual_seed(2)
    target = domain[torch.randperm(4, generator=rng)]
    mix = torch.rand((4, 1, 1, 1), generator=rng)
    planes = F.one_hot(target, 2).float()[:, :, None, None].expand(-1, -1, 32, 32)
    fake = method.G(torch.cat((x, planes), 1)).detach()
    real_source, logits = method.D(x)
    fake_source = method.D(fake)[0]
    gradients = []
    for i in range(4):  # one image at a time: the norm is each image's own
        point = (mix[i] * x[i] + (1 - mix[i]) * fake[i])[None].requires_grad_()
        (gradient,) = torch.autograd.grad(method.D(point)[0].sum(), point)
        gradients.append((gradient.norm() - 1) ** 2)
    real_source, logits, fake_source = (v.detach() for v in (real_source, logits, fake_source))
    expected = {
        "wasserstein": fake_source.mean() - real_source.mean(),
        "classification_real": F.nll_loss(logits.log_softmax(1), domain),
        "gradient_penalty": torch.stack(gradients).mean(),
    }
    expected["discriminator"] = (
        expected["wasserstein"]
        + expected["classification_real"]
        + 10 * expected["gradient_penalty"]
    )
    losses = step(method)
    assert "loss" not in losses  # the generator waits for its turn
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(float(value), rel=1e-4), name
    losses = step(method, number=2)
    total = losses["adversarial"] + losses["classification_fake"] + 10 * losses["reconstruction"]
    assert float(losses["loss"]) == pytest.approx(float(total), rel=1e-5)


def test_the_penalty_is_the_squared_slope_of_each_patch():
    """Of a critic whose slope is known: 2 x 2 patches, each w times its own pixels."""
    slope = torch.tensor([3.0, 0.0, 4.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2).clone()
    slope.requires_grad_()
    images = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    penalty = adversarial.gradient_penalty(images, lambda image: F.conv2d(image, slope, stride=2))
    assert float(penalty.detach()) == pytest.approx(4 * 25)
    (gradient,) = torch.autograd.grad(penalty, slope)
    assert torch.allclose(gradient, 2 * slope)
    assert not images.requires_grad


def test_stargans_generator_moves_every_n_critic_steps():
    method, _ = built("stargan", n_critic=3)
    moved = []
    for number in range(1, 7):
        before = weights(method.G)
        step(method, number)
        moved.append(not torch.equal(before, weights(method.G)))
    assert moved == [False, False, True, False, False, True]


@pytest.mark.parametrize(("sampling", "same"), [("permuted", 0.5), ("other", 0.0)])
def test_targets_are_those_of_the_batch_or_always_others(sampling, same):
    method, _ = built("stargan", target_sampling=sampling)
    rng = torch.Generator().manual_seed(0)
    _, domain, target = method.inputs(batch_for(method, 2000), rng)
    assert float((domain == target).float().mean()) == pytest.approx(same, abs=0.05)
    assert set(target.tolist()) == {0, 1}


@pytest.mark.parametrize("name", ["stargan", "stargan_rgb"])
def test_without_a_cycle_none_is_gone_around(name):
    weightless = {"reconstruction_weight": 0, "lossy_reconstruction_weight": 0}
    method, _ = built(name, **weightless, lightness_weight=3)
    called = []
    method.G.register_forward_hook(lambda *_: called.append(1))
    found = step(method, number=2)
    assert len(called) == 2  # once for D, once for G
    assert "reconstruction" not in found
    others = sum(found[key] for key in ("adversarial", "classification_fake") if key in found)
    assert float(found["loss"]) == pytest.approx(float(others + 3 * found["lightness"]), rel=1e-5)


def test_the_lossy_way_has_a_weight_of_its_own():
    """Color to gray and back alone: without its weight, color is free to go."""
    method, _ = built("stargan", reconstruction_weight=7, lossy_reconstruction_weight=0)
    x, domain = torch.rand(2, 3, 32, 32) * 2 - 1, torch.tensor([0, 1])
    fake = method.generate(x, 1 - domain)
    off = (method.generate(fake, domain) - x).abs().flatten(1).mean(1)
    content, found = method.content_loss(x, domain, 1 - domain, fake)
    off, content = off.detach(), content.detach()
    assert float(content) == pytest.approx(float(7 * off[0] / 2), rel=1e-5)
    assert float(found["reconstruction"].detach()) == pytest.approx(float(off.mean()), rel=1e-5)
    content, _ = method.content_loss(x, domain, domain, fake)  # to its own domain, nothing is lost
    back = (method.generate(fake, domain) - x).abs().mean().detach()
    assert float(content.detach()) == pytest.approx(float(7 * back), rel=1e-5)


def told_apart(method) -> float:
    """How much the domain that is asked for matters to the images, far from their borders."""
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        gray, colored = (method.translate(image, target) for target in ("gray", "color"))
    return float((gray - colored).abs()[..., 16:-16, 16:-16].max())


def test_controls_take_away_what_they_say():
    assert told_apart(built("stargan", width=8, control="none")[0]) > 1e-3
    # No label at all: images of both domains are to be made what they are, and are called the same.
    method, _ = built("stargan", width=8, control="one_label")
    assert told_apart(method) == 0
    before = weights(method.D.domain)
    for number in range(1, 9):
        step(method, number)
    learned = weights(method.D.domain) - before
    assert bool(learned.any())
    batch = batch_for(method)
    x = batch["image"].float() / 127.5 - 1
    found = step(method, 2)
    expected = -method.D(x)[1].log_softmax(1)[:, 0].mean()  # all of domain 0
    assert float(expected.detach()) == pytest.approx(float(found["classification_real"]), rel=0.2)
    # A label that normalization erases
    assert told_apart(built("stargan", width=8, control="reflection_padding")[0]) < 1e-4
    # Labels that no image has
    method, _ = built("stargan", control="unused_labels")
    assert method.G.layers[0].in_channels == 3 + 5
    assert method.D(torch.zeros(1, 3, 32, 32))[1].shape == (1, 5)
    step(method, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 6}, "depth: 6 halvings need a multiple of 64 pixels"),
        (
            {"control": "reflection_padding"},
            "control: reflection_padding is of the network stargan",
        ),
        ({"domains": ["color", "sepia"]}, "domains: gray, color and others are needed, each once"),
        ({"domains": ["gray", "color", "gray"]}, "domains: gray, color and others are needed"),
        ({"domains": ["gray", "color", "dusk"]}, "domains.2: input should be 'gray', "),
    ],
)
def test_stargan_parameters_that_do_not_fit_are_named(changes, message):
    entry = small()["stargan"] | {"network": "unet"} | changes
    with pytest.raises(UserError, match=rf"models\.x\.{message}"):
        model.check(model.parse(entry, "models.x"), 32, "models.x")


def test_stargan_in_lab_makes_nothing_darker():
    entry = small()["stargan_lab"] | {"depth": 2}
    day, night = (
        model.parse(entry | {"domains": ["gray", "color", domain]}, "models.x")
        for domain in ("sepia", "night")
    )
    model.check(day, 32, "models.x")
    with pytest.raises(UserError, match=r"models\.x\.domains: night is darker, and stargan_lab"):
        model.check(night, 32, "models.x")


def test_zhang_l2_learns_a_constant_color():
    """From any gray to one ab: what L2 must find, whatever else."""
    method, _ = built("zhang_l2", width=4, learning_rate=1e-2, weight_decay=0)
    lightness = torch.linspace(20, 80, 16)[:, None, None, None].expand(-1, 1, 32, 32)
    ab = torch.tensor([20.0, -15.0])[None, :, None, None].expand(16, -1, 32, 32)
    rgb = color.join(lightness, ab)
    batch = {"gray": color.to_uint8(color.gray_of(rgb)), "color": color.to_uint8(rgb)}
    method.train()
    for number in range(1, 151):
        method.step(batch, number, torch.Generator())
    with torch.no_grad():
        predicted = method.predict_ab(color.to_float(batch["gray"]))  # batch statistics
    assert (predicted - ab).square().sum(1).sqrt().mean() < 4


def states(copied, method) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """All weights and buffers of a model beside those of its plain copy."""
    return {
        f"{child}.{key}": (value, getattr(copied, child).state_dict()[key])
        for child, network in method.named_children()
        for key, value in network.state_dict().items()
    }


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["eager", "compiled"]
)
@pytest.mark.parametrize(("name", "changes"), ALL)
def test_a_step_is_that_of_the_authors_written_out(name, changes, compiled):
    """Losses and updates; the pool of 4 images exchanges in the second step, n_critic is 2."""
    method, _ = built(name, compiled=compiled, **changes)
    copied = plain.plain(method)
    batch = batch_for(method)
    for number in range(1, 5):
        losses = method.step(batch, number, torch.Generator().manual_seed(number))
        expected = copied.step(batch, number, torch.Generator().manual_seed(number))
        assert losses.keys() == expected.keys()
        for key, value in expected.items():
            assert losses[key].dtype == torch.float64
            assert float(losses[key]) == pytest.approx(value.item(), rel=1e-9, abs=1e-9), key
        for key, (ours, theirs) in states(copied, method).items():
            # Of a bias that a norm takes away the slope is rounding alone; Adam makes steps of it.
            least = 1e-8 if key.endswith(".bias") else 1e-9
            assert torch.allclose(ours, theirs, rtol=1e-9, atol=least), (number, key)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("name", "changes"), [c for c in ALL if "zhang" not in c.id])
def test_a_batch_in_parts_is_the_batch(name, changes):
    """Not of Zhang's network, whose batch normalization sees the part alone."""
    whole, in_parts = built(name, **changes)[0], built(name, **changes, accumulation=2)[0]
    for number in (1, 2):
        expected, losses = step(whole, number), step(in_parts, number)
        for key, value in expected.items():
            assert float(losses[key]) == pytest.approx(float(value), rel=1e-9), key
    for (key, ours), theirs in zip(in_parts.named_parameters(), whole.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-9), key


def test_the_baselines_batch_passes_in_parts_too():
    method, _ = built("zhang_l2", accumulation=2)
    sizes = []
    method.G.register_forward_hook(lambda _module, inputs, _output: sizes.append(len(inputs[0])))
    step(method)
    assert sizes == [2, 2]


@pytest.mark.parametrize("name", METHODS)
def test_in_bf16_networks_alone_are_in_half_precision(name):
    expected = step(built(name)[0], number=2)
    method, _ = built(name, precision="bf16")
    outputs = []

    def note(_module, _inputs, output):
        outputs.append((output if torch.is_tensor(output) else output[0]).dtype)

    for _, network in method.named_children():
        network.register_forward_hook(note)
    losses = step(method, number=2)
    # The gradient penalty, which comes after the generator and the critic, is in full precision.
    full = [number for number, dtype in enumerate(outputs) if dtype != torch.bfloat16]
    assert full == ([2] if method.sampling == "domains" else [])
    for key, value in expected.items():
        assert losses[key].dtype == torch.float32
        assert float(losses[key]) == pytest.approx(float(value), rel=0.05, abs=0.02), key
    assert all(weight.dtype == torch.float32 for weight in method.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_averages_of_the_weights_follow_and_color(name, tmp_path):
    method, _ = built(name, ema=0.3)
    child = method.generators[0]
    network = getattr(method, child)
    expected, count = weights(network), 0
    for number in range(1, 11):
        before = weights(network)
        step(method, number)
        if not torch.equal(before, weights(network)):  # stargan's moves at every second step
            count += 1
            decay = min(0.3, (1 + count) / (10 + count))
            expected = decay * expected + (1 - decay) * weights(network)
    assert torch.allclose(weights(method.ema[child]), expected, atol=1e-6)
    assert not torch.equal(weights(network), expected)

    gray = (
        batch_for(method)["image"][:, :1]
        if method.sampling == "domains"
        else batch_for(method)["gray"]
    )
    model.save(method, tmp_path)
    loaded = model.load(tmp_path)
    assert torch.equal(weights(getattr(loaded, child)), weights(method.ema[child]))
    assert torch.equal(loaded.colorize_bytes(gray), method.colorize_bytes(gray))
    assert getattr(method, child) is network  # which training goes on with
    assert network.training

    copied, _ = built(name, ema=0.3)
    copied.load_training_state(copy.deepcopy(method.training_state()))
    for number in (11, 12):
        step(method, number)
        step(copied, number)
    assert torch.equal(weights(copied.ema[child]), weights(method.ema[child]))


def test_starting_from_trained_weights(tmp_path):
    trained, _ = built("gan")
    step(trained)
    model.save(trained, tmp_path)
    path = tmp_path / "weights.safetensors"
    digest = files.sha256_of(path)
    fresh, _ = built("gan", seed=1)
    before = weights(fresh.D)
    start_from(fresh, path, digest)
    assert torch.equal(weights(fresh.G), weights(trained.G))
    assert torch.equal(weights(fresh.D), before)

    wrong = [
        (path, "0" * 64, f"models.gan.init_from.sha256: {path} has {digest}"),
        (
            tmp_path / "none",
            digest,
            f"models.gan.init_from.path: {tmp_path / 'none'}: No such file",
        ),
    ]
    (tmp_path / "words").write_text("words")
    words = files.sha256_of(tmp_path / "words")
    wrong.append((tmp_path / "words", words, "models.gan.init_from.path: .*words: "))
    for file, sha256, message in wrong:
        with pytest.raises(UserError, match=message):
            start_from(fresh, file, sha256)
    quantized = {key: value.to(torch.int8) for key, value in load_file(path).items()}
    (tmp_path / "quantized").mkdir()
    shutil.copy(tmp_path / "config.json", tmp_path / "quantized")
    for broken, told in (({}, "holds no weights"), (quantized, "is int8, not floating-point")):
        file = tmp_path / "quantized/weights.safetensors"
        save_file(broken, file)
        with pytest.raises(UserError, match=rf"^models\.gan\.init_from\.path: {file}.* {told}$"):
            start_from(fresh, file)
    with pytest.raises(UserError, match=rf"^{file}: G\.\S+ is int8, not floating-point$"):
        model.load(tmp_path / "quantized")
    for other, changes in (("gan", {"width": 4}), ("zhang_l2", {})):
        with pytest.raises(UserError, match=r"init_from.path: .* has G\..*, the model "):
            start_from(built(other, **changes)[0], path)


@pytest.mark.parametrize(("name", "changes"), WITH_ENCODER)
def test_a_published_encoder_learns_at_a_fifth_of_the_rate_and_keeps_its_statistics(name, changes):
    method, p = built(name, **changes)
    method.set_learning_rate(0.5 * p.learning_rate)
    of_g = [u for u in method.updates.values() if "G" in u.networks]
    assert of_g
    encoder = method.G.encoder
    share = 0.2 if changes["pretrained"] else 1.0
    for update in of_g:
        rate = {id(w): g["lr"] for g in update.optimizer.param_groups for w in g["params"]}
        assert len(rate) == len(list(method.G.parameters()))
        for weight in encoder.parameters():
            assert rate[id(weight)] == pytest.approx(0.5 * share * p.learning_rate)
        assert rate[id(method.G.last.weight)] == pytest.approx(0.5 * p.learning_rate)
    statistics = copy.deepcopy(dict(encoder.named_buffers()))
    step(method)
    same = [torch.equal(kept, statistics[name]) for name, kept in encoder.named_buffers()]
    assert all(same) if changes["pretrained"] else not any(same)


def test_a_fresh_model_has_the_published_weights_and_one_that_starts_from_others_has_those(
    tmp_path,
):
    values = small()["zhang_l2"] | ENCODER | {"pretrained": True}
    p = model.parse(values, "models.x")
    published = efficientnet_lite.imagenet_weights("lite0")
    colors = {"ab_histogram": None}
    fresh = model.fresh(p, 32, 0, colors)
    assert torch.equal(fresh.G.encoder.stem.weight, published["_conv_stem.weight"])
    fresh.prepare_training()
    step(fresh)
    model.save(fresh, tmp_path)
    weights_file = tmp_path / "weights.safetensors"
    init_from = {"path": str(weights_file), "sha256": files.sha256_of(weights_file)}
    other = model.parse(values | {"init_from": init_from}, "models.x")
    continued = model.fresh(other, 32, 0, colors)
    start_from(continued, weights_file)
    assert torch.equal(weights(continued.G), weights(fresh.G))
    assert torch.equal(weights(model.load(tmp_path).G), weights(fresh.G))
    assert model.load(tmp_path).pretrained
    assert not model.build(model.parse(values | {"pretrained": False}, ""), 32).pretrained
    # L2's weights begin adversarial training too: its generator is the same network.
    nogan = model.parse(
        small()["nogan_lab"] | ENCODER | {"pretrained": True, "init_from": init_from}, ""
    )
    adversarial_too = model.fresh(nogan, 32, 0, colors)
    start_from(adversarial_too, weights_file)
    assert torch.equal(weights(adversarial_too.G), weights(fresh.G))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "efficientnet_lite"}, "encoder: network efficientnet_lite needs one"),
        (ENCODER, "pretrained: network efficientnet_lite needs one"),
        ({"pretrained": True}, "pretrained: network zhang has none"),
    ],
)
def test_the_encoder_is_said_where_there_is_one(changes, message):
    p = model.parse(small()["zhang_l2"] | changes, "models.x")
    with pytest.raises(UserError, match=rf"^models\.x\.{message}$"):
        model.check(p, 32, "models.x")


def test_stargans_published_schedule_hardly_decays():
    """Solver of the authors' code: 200,000 steps, the last 100,000 decaying, updates of 1000."""
    _, p = built("stargan", steps=200_000, schedule="stargan", decay_from=0.5)
    rate, expected = 1.0, {}
    for step_number in range(1, 200_001):
        expected[step_number] = rate  # of this step; it is lowered after it
        if step_number % 1000 == 0 and step_number > 100_000:
            rate -= 1 / 100_000
    for number in (1, 100_000, 100_999, 101_001, 150_001, 200_000):
        assert p.learning_rate_factor(number) == pytest.approx(expected[number], abs=2e-5), number
    assert p.learning_rate_factor(200_000) == pytest.approx(0.999)


def test_learning_rate_is_constant_and_then_falls_to_almost_nothing():
    _, p = built("cyclegan", steps=100, decay_from=0.5)
    factors = [p.learning_rate_factor(step) for step in range(1, 101)]
    assert factors[:50] == [1.0] * 50
    assert factors[50:] == pytest.approx([1 - i / 51 for i in range(1, 51)])
    _, p = built("cyclegan", steps=100, decay_from=1)
    assert {p.learning_rate_factor(step) for step in range(1, 101)} == {1.0}


def test_image_pool():
    rng = torch.Generator().manual_seed(0)
    pool = ImagePool(3)
    first = torch.arange(3.0).view(3, 1, 1, 1).expand(-1, 3, 2, 2)
    assert torch.equal(pool.query(first, rng), first)  # until it is full, all are shown
    shown_old = 0
    for number in range(10, 410):
        image = torch.full((1, 3, 2, 2), float(number))
        before = {float(stored[0, 0, 0]) for stored in pool.images}
        shown = float(pool.query(image, rng)[0, 0, 0, 0])
        after = {float(stored[0, 0, 0]) for stored in pool.images}
        assert len(after) == 3
        if shown == number:
            assert after == before
        else:  # exchanged: the stored one is shown, and gone
            assert after == before - {shown} | {number}
            shown_old += 1
    assert 160 < shown_old < 240
    assert torch.equal(ImagePool(0).query(first, rng), first)


@pytest.mark.parametrize("name", METHODS)
def test_a_saved_model_colors_as_before(name, tmp_path):
    method, _ = built(name)
    step(method, number=2)
    model.save(method, tmp_path)
    loaded = model.load(tmp_path)
    gray = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(loaded.colorize(gray), method.eval().colorize(gray))
    # What colors is loaded and nothing else.
    assert {child for child, _ in loaded.named_children()} == set(method.generators)
    assert all(update.optimizer is None for update in loaded.updates.values())
    assert set(load_file(tmp_path / "weights.safetensors")) == set(loaded.state_dict())


@pytest.mark.parametrize("ema", [0, 0.3])
@pytest.mark.parametrize("name", METHODS)
def test_a_saved_training_goes_on_as_if_it_had_not_ended(name, ema, tmp_path):
    method, _ = built(name, ema=ema)
    for number in range(1, 5):
        step(method, number, seed=number)
    save_training(method, model.save(method, tmp_path, about={"steps": 4, "images": 16}), tmp_path)
    other, _ = built(name, ema=ema, learning_rate=0.5)
    begun = start_from(other, tmp_path / TRAINING)
    assert (begun.steps, begun.images, begun.config["parameters"]["ema"]) == (4, 16, ema)
    other.load_training_state(begun.state)
    other.set_learning_rate(method.p.learning_rate)
    for number in range(5, 9):
        losses = step(method, number, seed=number)
        of_other = step(other, number, seed=number)
        assert {key: float(value) for key, value in losses.items()} == {
            key: float(value) for key, value in of_other.items()
        }
    ours, theirs = method.training_state(), other.training_state()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    # Averages begin with the weights where there were none; what is not wanted any more goes.
    changed, _ = built(name, ema=0.5 - ema)
    changed.load_training_state(start_from(changed, tmp_path / TRAINING).state)
    for generator in changed.ema:
        average = changed.ema[generator].state_dict()
        saved = base.within(begun.state, f"ema.{generator}" if ema else f"networks.{generator}")
        assert all(torch.equal(average[key], value) for key, value in saved.items())
    pooled = [key for key in ours if key.startswith("pools.")]
    assert bool(pooled) == ("pool" in type(method.p).model_fields)


def test_a_training_goes_on_with_the_same_method_networks_and_a_smaller_pool_alone(tmp_path):
    method, _ = built("gan")
    for number in range(1, 5):
        step(method, number)
    save_training(method, model.save(method, tmp_path, about={"steps": 4, "images": 16}), tmp_path)
    path = tmp_path / TRAINING
    said = rf"^models\.cyclegan\.init_from\.path: {path} is the training of a gan; a cyclegan may "
    with pytest.raises(UserError, match=said):
        start_from(built("cyclegan")[0], path)
    with pytest.raises(UserError, match=r"has D\.\S+ \(.*\), the model \("):
        start_from(built("gan", discriminator_width=4)[0], path)
    smaller, _ = built("gan", pool=3)
    smaller.load_training_state(start_from(smaller, path).state)
    kept = list(method.pools["color"].images[:3])
    assert len(kept) == 3
    assert all(map(torch.equal, smaller.pools["color"].images, kept))
    parameters = smaller.p
    larger = model.build(parameters, 64).train()
    larger.prepare_training()
    larger.load_training_state(start_from(larger, path).state)
    assert larger.pools["color"].images == []
    broken = tmp_path / "broken"
    for about, told in (
        ("words", "Expecting value"),
        ("{}", "steps"),
        ('{"steps": 1, "images": 1}', "parameters"),
        ('{"steps": []}', "int"),
    ):
        model.write_weights(load_file(path), broken, {"config": about})
        with pytest.raises(UserError, match=rf"^models\.gan\.init_from\.path: {broken}: .*{told}"):
            start_from(built("gan")[0], broken)


@pytest.mark.parametrize("name", METHODS)
def test_translation_knows_its_directions(name):
    method, _ = built(name)
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    gray = image[:, :1]
    method.eval()
    with torch.no_grad():
        results = {target: method.translate(image, target) for target in method.targets}
        assert torch.equal(
            method.translate(gray.expand(-1, 3, -1, -1), "color"), method.colorize(gray)
        )
    assert ("gray" in results) == (name == "cyclegan" or name.startswith("stargan"))
    for result in results.values():
        assert result.shape == image.shape
    for one, other in itertools.pairwise(results.values()):
        assert not torch.equal(one, other)


@pytest.mark.parametrize("name", METHODS)
def test_an_update_moves_its_own_weights_alone(name):
    method, _ = built(name)
    seen = []

    def checked(name, *inputs):
        seen.append(name)
        method.zero_grad()
        before = {key: weight.detach().clone() for key, weight in method.named_parameters()}
        found = type(method).update(method, name, *inputs)
        own = {id(w) for g in method.updates[name].optimizer.param_groups for w in g["params"]}
        for key, weight in method.named_parameters():
            assert torch.equal(weight, before[key]) == (id(weight) not in own), key
            assert weight.grad is None or id(weight) in own, key
        return found

    method.update = checked
    for number in (1, 2, 3) if name == "nogan_lab" else (2,):  # which has phases
        step(method, number)
    assert sorted(seen) == sorted(method.updates)


@pytest.mark.parametrize(("name", "changes"), ALL)
def test_a_step_waits_for_no_result(name, changes, monkeypatch):
    """So that a GPU always has work: on tensors without values, to read one is an error."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # nor this
    method, _ = built(name, **changes, ema=0.9)
    method.to("meta")
    for update in method.updates.values():
        update.optimizer.step = lambda: None  # torch's own, which knows no such tensors
    for average in method.ema.values():
        average.to("meta")
    batch = {key: value.to("meta") for key, value in batch_for(method).items()}
    for number in (1, 2, 3) if name == "nogan_lab" else (1, 2):  # its phases; where n_critic is 2
        losses = method.step(batch, number, torch.Generator().manual_seed(number))
    with pytest.raises(RuntimeError, match="meta"):
        float(losses["loss"])


@pytest.mark.parametrize("name", METHODS)
@needs_gpu
def test_a_step_on_a_gpu_gives_the_losses_of_the_cpu(name):
    expected = step(built(name)[0], number=2)
    method, _ = built(name)
    method.cuda()
    batch = {key: value.cuda() for key, value in batch_for(method).items()}
    losses = method.step(batch, 2, torch.Generator().manual_seed(2))
    for key, value in expected.items():
        assert float(losses[key]) == pytest.approx(float(value), rel=1e-2, abs=1e-3), key


@pytest.mark.parametrize("name", METHODS)
@needs_gpu
def test_no_step_waits_for_the_gpu(name):
    """Whoever waits launches nothing meanwhile, and leaves it idle after."""
    method, p = built(name)
    method.cuda()
    batch = {key: value.cuda() for key, value in batch_for(method).items()}

    def steps() -> None:
        for number in range(1, p.steps + 1):
            method.step(batch, number, torch.Generator().manual_seed(number))

    steps()  # tables move to the GPU
    torch.cuda.set_sync_debug_mode("error")
    try:
        steps()
    finally:
        torch.cuda.set_sync_debug_mode("default")
