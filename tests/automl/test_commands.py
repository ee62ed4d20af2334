"""`zoo predict`, `test`, `show` and `export` of a predictor, by its run's folder."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.automl.making import write_network
from tests.automl.test_members import raws_of
from tests.data import refused
from zoo.automl.load import predictor_folder
from zoo.automl.predictor import Part, save_predictor

TEXTS = ["I liked it, all 3 minutes of it.", "Is it long?"]


@pytest.fixture
def folder(written):
    return str(written("labelled_text")[1])


def test_predict_has_all_its_forms(folder, command):
    expected = zoo.load(folder).predict(TEXTS)
    answers = json.loads(command.ran("predict", folder, *TEXTS, "--json"))
    assert [one["input"] for one in answers] == TEXTS
    assert [one["answer"] for one in answers] == expected
    lines = command.ran("predict", folder, *TEXTS, "--jsonl").splitlines()
    assert [json.loads(line)["answer"] for line in lines] == expected
    rows = [*csv.DictReader(io.StringIO(command.ran("predict", folder, *TEXTS, "--csv")))]
    assert [row["label"] for row in rows] == ["praise", "question"]
    assert [*rows[0]] == ["input", "label", "probability"]  # none of its members knows what is odd
    assert "praise" in command.ran("predict", folder, TEXTS[0])


@pytest.mark.parametrize(("words", "message"), [
    (["--windows", "x"], "--windows: Predictor has none with a time"),
    (["--explain", "x"], "--explain: Predictor cannot say which words"),
    (["--whole", "x"], "--whole: Predictor does not read texts window by window"),
    ([], "a predictor shows no examples: give it an INPUT"),
])  # fmt: skip
def test_what_the_members_cannot_is_refused(words, message, folder, command):
    assert message in command.refused("predict", folder, *words)


def test_a_network_of_texts_alone_explains_and_reads_all(written, tmp_path, command):
    data, _ = written("labelled_text")
    write_network("labelled_text", data, tmp_path / "net")
    part = Part("net", tmp_path / "net", 1.0, 2.0)
    folder = str(save_predictor([part], {}, tmp_path / "p"))
    (own,) = json.loads(command.ran("predict", folder, TEXTS[0], "--json"))
    (explained,) = json.loads(command.ran("predict", folder, TEXTS[0], "--json", "--explain"))
    words = explained["answer"].pop("words")
    assert [word for word, _ in words] == ["i", "liked", "it", "all", "3", "minutes", "of", "it"]
    assert explained["answer"] == own["answer"]
    (tmp_path / "a.txt").write_text(TEXTS[0])
    (answer,) = json.loads(command.ran("predict", folder, "a.txt", "--json", "--whole"))
    assert answer["answer"].pop("windows") == 1
    assert answer["answer"]["probabilities"] == pytest.approx(own["answer"]["probabilities"])


def test_windows_of_sounds_have_their_seconds(written, command, tmp_path):
    data, folder = written("audio_folder")
    raws = raws_of(data, "test", tmp_path / "scratch")
    long = raws[data.arrays("test")[0].counts.tolist().index(2)]
    rows = json.loads(command.ran("predict", str(folder), str(long), "--windows", "--json"))
    assert len(rows) == 2
    assert rows[0]["input"].startswith(f"{long} 0.0-")


def test_test_scores_the_cards_data_or_others_by_the_names_of_their_classes(
    written, folder, command, tmp_path
):
    data, _ = written("labelled_text")
    texts, labels = data.arrays("test")
    scores = json.loads(command.ran("test", folder, "--json"))
    answers = zoo.load(folder).predict_proba(texts)
    right = answers.argmax(1) == labels
    assert scores["test/accuracy"] == pytest.approx(right.mean())
    assert scores["test/loss"] == pytest.approx(
        -np.log(answers[np.arange(len(labels)), labels]).mean(), abs=1e-5
    )
    assert scores["test/accuracy/low"] <= scores["test/accuracy"] <= scores["test/accuracy/high"]
    assert {"test/f1", "test/auroc", "test/calibration_error"} < {*scores}
    table = tmp_path / "two.csv"  # of three classes the two last ones, as it numbers them
    rows = [(f"I liked it, all {i} minutes of it.", "praise") for i in range(9)]
    rows += [(f"Is it {i} minutes long?", "question") for i in range(9)]
    table.write_text("\n".join(["text,label", *(f'"{text}",{label}' for text, label in rows)]))
    other = ["data=labelled_text", f"data.source={table}"]
    assert json.loads(command.ran("test", folder, *other, "--json"))["test/accuracy"] == 1
    assert "test/f1" in command.ran("test", folder)
    assert "it takes data" in command.refused("test", folder, "trainer.precision=32-true")
    table.write_text(table.read_text().replace("question", "doubt"))
    assert "has the class 'doubt', which the model does not know" in command.failed(
        "test", folder, *other
    )


def test_show_has_the_members_and_export_refuses_them(folder, command):
    shown = command.ran("show", folder)
    for word in ("net", "network: TextCNN", "25.0 %", "pipeline: a pipeline", "75.0 %", "90.00 %"):
        assert word in shown
    assert "is a predictor, no network: its members are net (network), svm (pipeline)" in (
        command.refused("export", folder, "-o", "x.onnx")
    )
    svm = f"{folder}/predictor/members/svm"
    said = command.refused("export", svm, "-o", "x.onnx")
    source = zoo.load(folder).card["data"]["source"]
    assert "its members are svm (pipeline); train a network, `zoo train data=labelled_text" in said
    assert f"labelled_text data.source={source}`, and export its run" in said


def test_a_run_without_a_predictor_and_names_of_models(folder, tmp_path, command):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "auto.yaml").touch()
    message = "run has no predictor yet: the same `zoo auto` command goes on"
    refused(message, zoo.load, "run")
    (tmp_path / "run" / "predictor").mkdir()
    assert message in command.refused("predict", "run", "x")
    (tmp_path / "image_cnn").symlink_to(folder)
    assert predictor_folder("image_cnn") is None
    assert predictor_folder("./image_cnn") == Path("image_cnn/predictor")
