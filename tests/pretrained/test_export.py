"""Exports agree with the model at many sizes, in both formats, and say what they are."""

import json
import sys
from dataclasses import replace

import onnx
import pytest
import torch

import zoo
from tests.pretrained.test_store import INFO
from zoo.pretrained import export as module
from zoo.pretrained.export import FORMATS, TOLERANCE, compare, export, read_onnx, trace
from zoo.pretrained.export_spec import InputSpec
from zoo.utilities.errors import Failure

ENDINGS = [".onnx", ".pt2"]


def trained(name, **overrides):
    """A model in which no weight and no statistic is left at zero or one, but for padding's."""
    torch.manual_seed(0)
    model = zoo.create_model(name, **overrides)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.add_((torch.rand_like(tensor) - 0.5) * 0.1)
        for layer in model.modules():
            if getattr(layer, "padding_idx", None) is not None:
                layer.weight[layer.padding_idx] = 0
    return model


def check(model, path):
    """A model is exported: to one file, that agrees with it at sizes of which none is fixed."""
    written = export(model, path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert written.difference <= TOLERANCE
    assert {one["batch"] for one in written.compared} == {1, 3}
    varying = {axis for entry in written.inputs.values() for axis in entry.dynamic_axes().values()}
    assert all(len({one[axis] for one in written.compared}) > 1 for axis in varying)


QUICK = {"cbow", "char_rnn", "gan_conditional", "image_cnn", "image_mlp", "text_cnn", "text_mlp"}


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in zoo.list_models()
])  # fmt: skip
def test_a_model_is_exported_and_what_was_written_agrees_with_it(name, tmp_path, monkeypatch):
    """In both formats, of one trace."""
    model = trained(name)
    with torch.no_grad():
        program = trace(model.eval(), model.export_spec())
    monkeypatch.setattr("zoo.pretrained.export.trace", lambda *_: program)
    for ending in reversed(ENDINGS):  # for ONNX the program is taken apart
        (tmp_path / ending).mkdir()
        check(model.train(), tmp_path / ending / f"a{ending}")
        assert model.training


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("name", "overrides"), [
    ("text_lstm", {"cell": "linear", "bidirectional": False}),
    ("text_lstm", {"cell": "rnn", "layers": 2, "bidirectional": False}),
    ("text_lstm", {"cell": "gru", "layers": 2}),
    ("text_lstm", {"vocabulary_size": None, "features": 3}),
    ("text_cnn", {"vocabulary_size": None, "features": 3}), ("text_cnn", {"ngrams": 64}),
    ("text_cnn_2017", {"vocabulary_size": None, "features": 3}),
    ("char_rnn", {"cell": "gru", "layers": 2}), ("char_rnn", {"cell": "rnn"}),
    ("video_recurrent", {"cell": "lstm", "grid": 3}),
    ("image_cnn", {"channels": 3, "widths": [4] * 6}), ("video_conv3d", {"widths": [4] * 5}),
    ("video_recurrent", {"widths": [4] * 5}), ("autoencoder", {"channels": 3, "image_size": 33}),
])  # fmt: skip
def test_variants_are_exported(name, overrides, ending, tmp_path):
    check(trained(name, **overrides), tmp_path / f"a{ending}")


def test_text_that_is_read_step_by_step_is_read_as_at_once(tmp_path):
    """What the file of char_rnn is for: the state that is reached goes into the next step."""
    model = trained("char_rnn").eval()
    export(model, tmp_path / "a.onnx")
    step = read_onnx(tmp_path / "a.onnx")
    ids, state = torch.randint(2, 99, (2, 12)), [torch.zeros(1, 2, 128)] * 2
    wanted = model.read(ids)[0]
    for some, part in zip(ids.split([5, 1, 6], 1), wanted.split([5, 1, 6], 1), strict=True):
        logits, *state = step(some, *state)
        torch.testing.assert_close(logits, part, atol=1e-4, rtol=0)


def test_an_autoencoder_gives_its_codes_besides():
    model = trained("autoencoder").eval()
    (images,) = model.export_spec().example_inputs()
    drawn, codes = model.export_spec().function(images)
    torch.testing.assert_close(drawn, model(images))
    torch.testing.assert_close(codes, model.encode(images))


def test_a_model_that_says_nothing_of_its_own_exports_its_forward(tmp_path):
    """A ninth topic: of its example all axes but the batch are fixed."""

    class Topic(zoo.nn.module.ZooModule):
        def __init__(self):
            super().__init__()
            self.example_input_array = torch.zeros(1, 5)
            self.layer = torch.nn.Linear(5, 2)

        def forward(self, x):
            return self.layer(x)

    assert export(Topic(), tmp_path / "a.onnx").inputs == {"inputs": InputSpec(("batch", 5))}


# What goes wrong


def test_a_file_that_differs_is_told_and_not_left(tmp_path, monkeypatch):
    write, read = FORMATS[".pt2"]
    wrong = (write, lambda path: lambda x: [y + 0.5 for y in read(path)(x)])
    monkeypatch.setitem(FORMATS, ".pt2", wrong)
    with pytest.raises(Failure, match=r"differs from the model by 0\.5 at batch 1"):
        export(trained("autoencoder_2017"), tmp_path / "a.pt2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [torch.full((1, 2), torch.nan), torch.zeros(2)])
def test_neither_nan_nor_another_shape_agrees(wrong):
    plan = trained("autoencoder_2017").export_spec()
    plan = replace(plan, function=lambda x: (torch.zeros(1, 2), torch.zeros(1, 2)))
    with pytest.raises(Failure, match=r"differs from the model by (nan|inf)"):
        compare(plan, lambda x: (torch.zeros(1, 2), wrong), {"batch": 1})


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_model_that_cannot_be_traced_says_why(ending, tmp_path):
    model = trained("autoencoder_2017").eval()
    plan = replace(model.export_spec(), function=lambda x: x if float(x.sum()) > 0 else -x)
    model.export_spec = lambda: plan
    with pytest.raises(Failure, match=r"^Autoencoder2017 cannot be exported: .+"):
        export(model, tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in '\.pt': \.onnx or \.pt2 is wanted"):
        export(trained("autoencoder_2017"), tmp_path / "a.pt")


# The command


def test_the_command_writes_what_it_says_and_what_makes_a_batch(saved, command, tmp_path):
    out = command.ran("export", str(saved[1] / "weights.safetensors"))
    first, inputs, compared = out.splitlines()
    assert first.startswith("written   mine.onnx (0.0 MB)")
    assert inputs == "input     images    batch, 1, height, width"
    sizes = "batch 1 to 3, height 5 to 55, width 5 to 63"
    assert compared.startswith(f"compared  at 5 sizes ({sizes}): differs by at most ")
    command.ran("export", str(saved[1]), "--format", "torch", "-o", "a.pt2")
    file = onnx.load(tmp_path / "mine.onnx")
    told = {one.key: json.loads(one.value) for one in file.metadata_props}
    assert told == {"inputs": ["images"], "outputs": ["logits"], **INFO}
    axes = file.graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_param or axis.dim_value for axis in axes] == ["batch", 1, "height", "width"]
    kept = {module.METADATA_FILE: ""}
    torch.export.load(tmp_path / "a.pt2", extra_files=kept)
    assert json.loads(kept[module.METADATA_FILE]) == told


@pytest.mark.parametrize(("words", "said"), [
    (["-o", "a.pt2"], "give a name that ends in .onnx"),
    (["--format", "torch", "-o", "a.onnx"], "give a name that ends in .pt2"),
    (["-o", "no/a.onnx"], "there is no folder no"),
    (["--format", "tflite"], "invalid choice: 'tflite'"),
])  # fmt: skip
def test_a_wrong_file_or_format_is_one_line(words, said, saved, command, monkeypatch):
    monkeypatch.setattr("zoo.pretrained.load.load", lambda name: pytest.fail("loaded"))
    assert said in command.refused("export", str(saved[1]), *words)


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_names_the_extra(package, saved, command, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    assert 'pip install "lightning-zoo[export]"' in command.refused("export", str(saved[1]))
