"""A generative adversarial network: one network draws, another tells drawn from real.

Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, with the networks of DCGAN: Radford et al.
2015, https://arxiv.org/abs/1511.06434.

The generator maps noise to a picture, the discriminator a picture to how real it seems. Each
learns against the other, in a step of its own; the generator's loss is the non-saturating one
(section 3 of the first paper). With `conditional`, both know the label that is asked for (Mirza &
Osindero 2014, https://arxiv.org/abs/1411.1784), the discriminator by projection (Miyato & Koyama
2018, https://arxiv.org/abs/1802.05637, equation 5).

The same game on text needs a way round the choice of a symbol, which passes no gradient back: the
Gumbel softmax relaxes it, REINFORCE estimates through it, and neither draws long text well.

Departs from the paper: two halvings instead of four, for pictures of 28 and 32 pixels; noise is
normal, not uniform; the weights that draw are an average over steps (`ema` of the run).

The losses are `discriminator_loss` and `generator_loss` below, both steps `GAN.training_step`.

Shapes: B pictures, C channels, H x W pixels, Z noise, K classes.
"""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive
from zoo.figures.kinds import Grid, Picture
from zoo.nn import optim
from zoo.nn.module import ZooModule
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_images, check_layout, check_pair
from zoo.pretrained.export_spec import ExportSpec, InputSpec
from zoo.utilities.errors import no_such
from zoo.utilities.modes import in_eval_mode

LEAK = 0.2  # of the discriminator's rectifiers: DCGAN, section 4
BATCH = 250  # pictures generated at once
SEED = 0  # of the noise that figures are drawn from


class Generator(nn.Module):
    """Noise to pictures: a quarter of the size, then doubled twice (figure 1 of DCGAN).

    Args:
        classes: whose label joins the noise; 0 for none.
    """

    def __init__(self, channels: int, image_size: int, noise: int, width: int, classes: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise) if classes else None
        start = (2 * width, image_size // 4, image_size // 4)
        self.layers = nn.Sequential(
            nn.Linear(2 * noise if classes else noise, math.prod(start), bias=False),
            nn.Unflatten(1, start),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.apply(initialise)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Map noise (B, Z), and labels (B,) where they count, to pictures (B, C, H, W)."""
        if self.embedding is not None:
            noise = torch.cat([noise, self.embedding(labels)], 1)
        pictures: Tensor = self.layers(noise)
        return pictures


class Discriminator(nn.Module):
    """Pictures to how real they seem: halved twice, then one number.

    Args:
        classes: whose label is known; 0 for none.
    """

    def __init__(self, channels: int, image_size: int, width: int, classes: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(LEAK),
            nn.Flatten(),
        )
        features = 2 * width * (image_size // 4) ** 2
        self.head = nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None
        self.apply(initialise)

    def forward(self, pictures: Tensor, labels: Tensor) -> Tensor:
        """Map pictures (B, C, H, W), and labels (B,) where they count, to logits (B,)."""
        features = self.layers(pictures)
        logits: Tensor = self.head(features)[:, 0]
        if self.embedding is None:
            return logits
        return logits + (self.embedding(labels) * features).sum(1)


def initialise(layer: nn.Module) -> None:
    """Weights from N(0, 0.02): DCGAN, section 4."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
        nn.init.normal_(layer.weight, std=0.02)


class GAN(ZooModule):
    """Draws pictures like those it was shown.

    `train/loss` and `val/loss` are the discriminator's: 2 ln 2 = 1.386 where it tells nothing
    apart. They say how the game stands, not how good the pictures are; `frechet` does, where the
    run has an evaluator.

    Args:
        channels, image_size, num_classes: set by the data.
        conditional: whether a label is asked for.
        noise: Z, numbers that a picture is drawn from.
        width: channels of the layers next to the picture; those in the middle have twice as many.
        scaling: what the data bring pixels to: the generator ends in tanh.
        generator_optimizer, discriminator_optimizer: their recipes.
    """

    head_prefixes = ("generator.embedding.", "discriminator.embedding.")
    batch_is = "pictures (B, C, H, W) in [-1, 1] and labels (B,)"
    find_unused_parameters = True  # each of the two losses teaches one network

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Annotated[int, Field(ge=8, multiple_of=4)],
        num_classes: NumClasses,
        conditional: bool,
        noise: Positive,
        width: Positive,
        scaling: Literal["symmetric"],
        generator_optimizer: Recipe,
        discriminator_optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.automatic_optimization = False
        classes = num_classes if conditional else 0
        self.generator = Generator(channels, image_size, noise, width, classes)
        self.discriminator = Discriminator(channels, image_size, width, classes)
        self.example_input_array = torch.zeros(1, noise)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map noise (B, Z) to pictures (B, C, H, W) in [-1, 1].

        Args:
            labels: (B,) where the model is conditional; None: the classes in turn.

        Raises:
            ValueError: another layout.
        """
        check_layout("rows of noise", noise, "B", self.hparams["noise"])
        pictures: Tensor = self.generator(noise, self.in_turn(noise) if labels is None else labels)
        return pictures

    def forward_all(self, batch: Tensor) -> None:
        """Draw from noise (B, Z), then say how real that seems."""
        self.discriminator(self(batch), self.in_turn(batch))

    def export_spec(self) -> ExportSpec:
        """The generator: noise, and labels where they count, to pictures in [-1, 1]."""
        inputs = {"noise": InputSpec(("batch", self.hparams["noise"]))}
        if self.hparams["conditional"]:
            inputs["labels"] = InputSpec(("batch",), below=self.hparams["num_classes"])
        return ExportSpec(self, inputs, ("pictures",))

    def in_turn(self, noise: Tensor) -> Tensor:
        """A label (B,) for each noise: 0, 1, ... K - 1, 0, ..."""
        return torch.arange(noise.shape[0], device=noise.device) % self.hparams["num_classes"]

    def postprocess(self, output: Tensor) -> list[np.ndarray]:
        """Map drawn pictures (B, C, H, W) to pixels (H, W, C), uint8, each."""
        pixels = ((output.float() + 1) * 127.5).round().clamp(0, 255).byte()
        return list(pixels.permute(0, 2, 3, 1).cpu().numpy())

    def as_list(self, raws: Any) -> list[Any]:
        """Seeds, one or several, as a list."""
        return [raws] if isinstance(raws, str) or not isinstance(raws, Iterable) else list(raws)

    def preprocess(self, raws: Any) -> Tensor:
        """Noise (B, Z) of seeds: an int, or several of them; digits of a text will do.

        Raises:
            ValueError: no whole number of zero or above.
        """
        seeds = self.as_list(raws)
        for seed in seeds:
            if not str(seed).isdecimal():
                raise ValueError(f"a picture is drawn from a seed, 0, 1, 2, ...: got {seed!r}")
        return torch.cat([self.noise(1, int(seed)) for seed in seeds])

    @torch.inference_mode()
    def generate(self, noise: Tensor, labels: Tensor | None = None) -> list[np.ndarray]:
        """Draw pixels (H, W, C), uint8, each from its own noise (B, Z)."""
        model = in_eval_mode(self)
        labels = self.in_turn(noise) if labels is None else labels
        parts = zip(noise.split(BATCH), labels.split(BATCH), strict=True)
        return [
            picture
            for codes, classes in parts
            for picture in model.postprocess(model(self.as_input(codes), self.as_input(classes)))
        ]

    def sample(self, *, count: int = 64, label: str = "", seed: int = 0) -> Grid:
        """Draw `count` pictures, of the class `label` where one is given.

        Raises:
            ValueError: no picture is asked for, or a label that the model does not know.
        """
        if count < 1:
            raise ValueError(f"count is {count}: at least 1 is wanted")
        noise, labels = self.noise(count, seed), None
        if label:
            labels = torch.full((count,), self._class(label))
        return Grid(self.generate(noise, labels))

    def noise(self, count: int, seed: int) -> Tensor:
        """The noise (count, Z) of a seed; more of it starts with the same rows."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(count, self.hparams["noise"], generator=generator)

    def _class(self, label: str) -> int:
        """The number of a class by its name."""
        if not self.hparams["conditional"]:
            raise ValueError(f"label is {label!r}: this model was not told classes, leave it out")
        classes = self.classes or [str(i) for i in range(self.hparams["num_classes"])]
        if label not in classes:
            raise ValueError(no_such("label", label, classes))
        return classes.index(label)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        """-log D(x) - log(1 - D(G(z))), (B,): equation 1 of the paper, to be lowered."""
        real_loss = F.softplus(-self.discriminator(real, labels))
        return real_loss + F.softplus(self.discriminator(fake, labels))

    def generator_loss(self, fake: Tensor, labels: Tensor) -> Tensor:
        """-log D(G(z)), (B,): the loss of section 3 that does not saturate."""
        return F.softplus(-self.discriminator(fake, labels))

    def training_step(  # type: ignore[override]
        self, batch: tuple[Tensor, Tensor], batch_idx: int
    ) -> None:
        """A step of the discriminator, then one of the generator against it, on the same noise."""
        real, labels = check_pair(batch, self)
        check_images(real, self.hparams["channels"])
        fake = self.generator(self.draw(torch.randn, len(real), self.hparams["noise"]), labels)
        counted: Any = self.optimizers()
        bare: Any = self.optimizers(use_pl_optimizer=False)  # its steps are not counted
        losses = {"loss": self.discriminator_loss(real, fake.detach(), labels).mean()}
        self.descend(losses["loss"], bare[1])
        self.discriminator.requires_grad_(False)
        losses["generator_loss"] = self.generator_loss(fake, labels).mean()
        self.descend(losses["generator_loss"], counted[0])
        self.discriminator.requires_grad_(True)
        for name, value in losses.items():
            self.log(f"train/{name}", value.detach(), on_step=False, on_epoch=True, sync_dist=True)

    def descend(self, loss: Tensor, optimizer: Any) -> None:
        """One step down a loss, with no gradient left over."""
        self.manual_backward(loss)
        optimizer.step()
        optimizer.zero_grad()

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        real, labels = check_pair(batch, self)
        fake = self.generator(self.draw(torch.randn, len(real), self.hparams["noise"]), labels)
        return {
            "loss": self.discriminator_loss(real, fake, labels),
            "generator_loss": self.generator_loss(fake, labels),
        }

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """Drawn pictures, beside real ones, on a walk through the noise, and by class."""
        fake, real = self.sample().images, self.postprocess(batch[0][:32])
        rows = [slice(i, i + 4) for i in range(0, len(real), 4)]
        beside = [picture for row in rows for picture in (*real[row], *fake[row])]
        pictures: dict[str, Picture] = {
            "Drawn": Grid(fake),
            "Four real ones on the left, four drawn on the right": Grid(beside),
            "A walk from one noise to another, each row of its own": Grid(self.walk(4, 8)),
        }
        if self.hparams["conditional"]:
            pictures["A row a class, a column a noise"] = Grid(self.by_class(8))
        return pictures

    def walk(self, rows: int, columns: int) -> list[np.ndarray]:
        """Pictures (rows * columns) along arcs between two noises each; arcs keep their length."""
        noise = self.noise(2 * rows, SEED)
        share = torch.linspace(0, math.pi / 2, columns)[None, :, None]
        path = noise[:rows, None] * share.cos() + noise[rows:, None] * share.sin()
        labels = self.in_turn(noise[:rows]).repeat_interleave(columns)
        return self.generate(path.flatten(0, 1), labels)

    def by_class(self, columns: int) -> list[np.ndarray]:
        """Pictures (K * columns): each class drawn from the same noises."""
        classes = self.hparams["num_classes"]
        labels = torch.arange(classes).repeat_interleave(columns)
        return self.generate(self.noise(columns, SEED).repeat(classes, 1), labels)

    def configure_optimizers(self) -> Any:
        return [
            optim.make_optimizer(self.generator, self.hparams["generator_optimizer"]),
            optim.make_optimizer(self.discriminator, self.hparams["discriminator_optimizer"]),
        ]
