"""What a model's recipe is given on data of one's own: its sizes, n-grams, and a start."""

import pytest

from tests.data import refused
from zoo.catalog.compose import compose

OWN = ["data=labelled_text", "data.source=x"]


@pytest.mark.parametrize("words", [[], ["model=text_lstm"]])
def test_on_texts_of_ones_own_a_model_gets_ngrams_and_a_choice_of_starts(words):
    config = compose([*OWN, *words])
    assert config["data"]["ngrams"] > 0
    assert "cbow.wikipedia_2015" in config["own_vectors"]["sources"]
    assert config["model"]["embeddings"] == "random"  # until the texts have chosen


PICTURES = ["data=image_folder", "data.source=x"]


@pytest.mark.parametrize(("words", "decay"), [
    (PICTURES, 0.01), ([*PICTURES, "experiment=mnist_image_cnn"], 0.001),
    ([*PICTURES, "init=image_cnn.mnist"], 0.001), ([*PICTURES, "model=image_resnet"], 0.0005),
    ([*PICTURES, "model.optimizer.weight_decay=0.1"], 0.1), (["experiment=image_cnn"], 0.001),
])  # fmt: skip
def test_on_pictures_of_ones_own_image_cnn_gets_more_weight_decay(words, decay):
    assert compose(words)["model"]["optimizer"]["weight_decay"] == decay


CLIPS = ["data=video_folder", "data.source=x"]


@pytest.mark.parametrize(("words", "model", "dropout"), [
    (CLIPS, "video_conv3d", 0.3), ([*CLIPS, "model=video_recurrent"], "video_recurrent", 0.3),
    ([*CLIPS, "model.dropout=0.1"], "video_conv3d", 0.1),
    ([*CLIPS, "init=video_conv3d.moving_digits"], "video_conv3d", 0),
    ([*CLIPS, "experiment=drone_video_video_conv3d"], "video_conv3d", 0.2),
    (["experiment=video_recurrent"], "video_recurrent", 0),
])  # fmt: skip
def test_on_clips_of_ones_own_networks_drop_some_features(words, model, dropout):
    config = compose(words)
    assert (config["choices"]["model"], config["model"]["dropout"]) == (model, dropout)


def test_what_the_user_gives_counts():
    config = compose([*OWN, "model.filters=8", "data.ngrams=null", "own_vectors=null"])
    assert (config["model"]["filters"], config["data"]["ngrams"]) == (8, None)
    assert not config.get("own_vectors")
    assert compose(OWN)["own_vectors"]["slower"] < 1
    assert compose([*OWN, "model.optimizer.lr=0.1"])["own_vectors"]["slower"] == 1
    for start in ("model.embedding=16", "model.vectors=x.vec model.embeddings=static"):
        assert "own_vectors" not in compose([*OWN, *start.split()])
    refused(r"own_vectors\.least is 2", compose, [*OWN, "own_vectors.least=2"])


@pytest.mark.parametrize(("words", "meant"), [
    ([*OWN, "own_training.stepz=3"], "own_training.steps"),
    ([*OWN, "own_vectors.leest=1"], "own_vectors.least"),
    ([*OWN, "own_baseline.fols=2"], "baseline.folds"), (["+target.at_leest=1"], "target.at_least"),
])  # fmt: skip
def test_a_misspelt_key_of_an_optional_section_is_one_line(words, meant):
    refused(f"did you mean '{meant}'", compose, words)


@pytest.mark.parametrize("words", [
    [*OWN, "experiment=imdb_text_cnn"], [*OWN, "init=text_cnn.rotten_tomatoes"],
    [*OWN, "model=text_mlp"], ["experiment=text_cnn"], ["experiment=rotten_tomatoes_text_cnn"],
    ["experiment=text_lstm"], ["data=imdb", "model=text_cnn"],
])  # fmt: skip
def test_recipes_that_are_named_weights_and_other_data_keep_their_own(words):
    config = compose(words)
    assert config["data"].get("ngrams") is None
    assert not [key for key in config if key in ("own_vectors", "own_model")]
