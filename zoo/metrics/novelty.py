"""How unlike the training data an input is: the distance of its features to the nearest class.

Lee et al., 2018, https://arxiv.org/abs/1807.03888, section 2.1: the features of each class are
taken to be normally distributed about a mean of its own with one covariance for all, and an input
is as far as the nearest of these means, in deviations (the Mahalanobis distance).

Departs from the paper: of the features the roots are taken, which are nearer to a normal
distribution (Yang et al., 2021, https://arxiv.org/abs/2101.06395, section 3.2, Tukey's ladder of
powers), so that silence, a constant picture or an empty text are not near the means because all
their features are small; the covariance is shrunk, and kept in its strongest directions only, to
be small in a file; there is no second network of other layers.

Shapes: N training samples, M held out, B asked for; F features, K classes, R directions.
"""

import torch
from torch import Tensor

NAMES = ("means", "directions", "deviations", "threshold")
USUAL = 0.99  # share of the held samples whose score is at most 1
SHRINKAGE = 0.1  # of the variances towards their mean; from 0.003 to 0.3 it matters little
DIRECTIONS = 64  # at most; all 320 of a text CNN tell no more, and take 4 times the file


class NoveltyDetector:
    """A score of features: above 1 means unlike the training data.

    Args:
        means: of the roots of each class's features, (K, F).
        directions: in which samples differ most from the mean of their class, (F, R), orthonormal.
        deviations: along each direction, and last of all in what the directions leave, (R + 1,).
        threshold: the distance that counts as 1, in deviations, (1,).

    Raises:
        ValueError: other tensors than these.
    """

    def __init__(self, **tensors: Tensor) -> None:
        if odd := {*NAMES} ^ {*tensors}:
            raise ValueError(f"novelty: {', '.join(sorted(odd))} missing or left over")
        tensors = {name: tensor.float().cpu() for name, tensor in tensors.items()}
        self.means, self.directions = tensors["means"], tensors["directions"]
        self.deviations, self.threshold = tensors["deviations"], tensors["threshold"]
        self.centres = self._standardise(self.means)

    @classmethod
    def fit(cls, features: Tensor, labels: Tensor, held_out: Tensor) -> "NoveltyDetector":
        """Learn what is usual.

        Args:
            features: what the last layer sees of training samples, (N, F).
            labels: their classes, (N,).
            held_out: features of other samples of the same kind, (M, F), one in a hundred of which
                may count as unlike; of fewer than a hundred, none.
        """
        x, (classes, places) = roots(features), labels.cpu().unique(return_inverse=True)
        means = torch.stack([x[places == i].mean(0) for i in range(len(classes))]).half()
        directions, deviations = principal(x - means.float()[places], least=x.square().mean())
        tensors = {"means": means, "directions": directions, "deviations": deviations}
        tensors = {name: tensor.half() for name, tensor in tensors.items()}  # as in the file
        far = cls(**tensors, threshold=torch.ones(1)).score(held_out)
        usual = torch.quantile(far, USUAL, interpolation="higher").clamp(min=1)
        return cls(**tensors, threshold=usual.view(1).half())

    def tensors(self) -> dict[str, Tensor]:
        """What the constructor takes, in half precision, which it loses nothing by."""
        return {name: getattr(self, name).half() for name in NAMES}

    def score(self, features: Tensor) -> Tensor:
        """Map features (B, F) to their distance in units of the threshold, (B,), on the CPU."""
        exact = "donot_use_mm_for_euclid_dist"  # the other way cancels digits
        parts = map(self._standardise, roots(features).split(1024))
        nearest = [torch.cdist(x, self.centres, compute_mode=exact).amin(1) for x in parts]
        return torch.cat(nearest) / self.threshold

    def _standardise(self, x: Tensor) -> Tensor:
        """Map roots (B, F) to where distances are deviations, (B, R + F)."""
        along = x @ self.directions
        left = x - along @ self.directions.T
        return torch.cat([along / self.deviations[:-1], left / self.deviations[-1]], 1)


def roots(features: Tensor) -> Tensor:
    """Square roots that keep the sign of features (B, F), in single precision on the CPU."""
    features = features.detach().float().cpu()
    return features.sign() * features.abs().sqrt()


def principal(spread: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    """The strongest directions (F, R) of samples about their means (N, F), and deviations (R + 1,).

    The last deviation is that of all other directions (Tipping & Bishop, 1999, equation 8).

    Args:
        least: the square of what a millionth of counts as a variance, where nothing varies.
    """
    eigenvalues, directions = eigenvectors(spread)
    floor = SHRINKAGE * eigenvalues.mean() + 1e-6 * least + 1e-8
    variances = (1 - SHRINKAGE) * eigenvalues.clamp(min=0) + floor
    rest = len(eigenvalues) - directions.shape[1]
    left = variances[:rest].mean() if rest else floor
    deviations = torch.cat([variances[rest:], left.view(1)]).sqrt()
    return directions.float(), deviations.float()


def eigenvectors(spread: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (F,) of the covariance of (N, F), the weakest first, and the last vectors (F, R).

    Of fewer samples than features they are those of the products of samples, whose number is less:
    the others are zero.
    """
    count, width = spread.shape
    if count >= width:
        values, vectors = torch.linalg.eigh((spread.T @ spread / count).double())
        return values, vectors[:, -DIRECTIONS:]
    wide = spread.double()
    values, vectors = torch.linalg.eigh(wide @ wide.T / count)
    directions, _ = torch.linalg.qr(wide.T @ vectors[:, -DIRECTIONS:])
    return torch.cat([values.new_zeros(width - count), values]), directions
