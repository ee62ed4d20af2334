"""What a model answers: in threads, while it trains, in each precision; and what is left behind."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import torch
from torch import nn

import zoo
from tests.data import seeded
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.gan import GAN
from zoo.nn.hooks import first_outputs
from zoo.pretrained.load import attach

every_model = pytest.mark.parametrize("name", zoo.list_models())


@cache
def data_of(name):
    data = schema.build({**compose([f"experiment={name}"])["data"], "limit": 64}, "data")
    data.setup("fit")
    return data


def with_input(name):
    """A model of the catalog, with the input of its data, and raw samples."""
    data, model = data_of(name), seeded(name)
    if isinstance(attach(model, data.input, data.info), GAN):
        return model, list(range(5))  # it draws from seeds
    return model, list(data.input.restore(data.samples("test", 5)[0]))


def calls_of(model, raws):
    """All that answers, by name: predict, features of both kinds, explain."""
    leaves = [name for name, layer in model.named_modules() if name and not [*layer.children()]]
    last = [*first_outputs(model, leaves, model.as_input(model.preprocess(raws[:1])))][-1:]
    calls = {"predict": model.predict, "layers": lambda raws: model.features(raws, last)[last[0]]}
    if not isinstance(model, GAN):
        calls["features"] = model.features
    if hasattr(model, "explain") and hasattr(model.input, "vocabulary"):
        calls["explain"] = model.explain
    return calls


def equal(first, second):
    return str(first) == str(second)  # of whatever they hold, number for number


@every_model
def test_a_model_that_trains_answers_the_same_and_keeps_its_modes(name):
    """In two threads at once, and where the data cannot be read."""
    model, raws = with_input(name)
    calls = calls_of(model, raws)
    wanted = {kind: call(raws) for kind, call in calls.items()}
    model.train()
    next(model.children()).eval()
    modes = [layer.training for layer in model.modules()]
    for kind, call in calls.items():
        with ThreadPoolExecutor(2) as threads:
            for answer in threads.map(call, [raws] * 4):
                assert equal(answer, wanted[kind]), kind
        with pytest.raises((ValueError, TypeError)):
            call([object()])
    assert [layer.training for layer in model.modules()] == modes


@every_model
def test_a_layer_learns_on_features_and_the_model_after_an_answer(name):
    """They are no inference tensors, nor does an answer leave any in the model."""
    model, raws = with_input(name)
    calls = calls_of(model, raws)
    calls["predict"](raws)
    for kind in calls.keys() & {"features", "layers"}:
        features = calls[kind](raws)
        assert not features.is_inference()
        head = nn.Linear(features.shape[-1], 2)
        head(features).square().sum().backward()
        assert head.weight.grad.abs().sum() > 0
    model.train()(model.as_input(model.preprocess(raws))).square().sum().backward()
    assert any(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * (name in {"image_resnet", "wavenet"}))
    for name in zoo.list_models()
])  # fmt: skip
@pytest.mark.parametrize("precision", ["half", "bfloat16", "double"])
def test_a_model_answers_in_any_precision(name, precision):
    """Near what it gives in float32, by the digits that the numbers have."""
    model, raws = with_input(name)
    calls, batch = calls_of(model, raws), model.preprocess(raws)
    with torch.no_grad():
        wanted = model(batch)
        getattr(model, precision)()
        output = model(model.as_input(batch))
    room = {"half": 0.005, "bfloat16": 0.04, "double": 1e-5}[precision]
    assert (output - wanted).abs().max() < room * max(wanted.abs().max(), 1)
    for kind, call in calls.items():
        answers = call(raws)
        assert len(answers) == len(raws)
        if isinstance(answers, torch.Tensor):
            assert answers.dtype == model.dtype
            assert answers.isfinite().all(), kind
        assert "nan" not in str(answers), kind
