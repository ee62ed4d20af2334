"""The evidence of an auto run: each number against an oracle, what is advised, and the table."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.svm import SVC, LinearSVC

from zoo.automl.advice import compare
from zoo.automl.evidence import Candidate, summarise, table
from zoo.metrics.choice import temperature
from zoo.metrics.confidence import interval
from zoo.metrics.paired import paired_interval, samples_to_decide

N, CLASSES = 240, ["cat", "dog", "owl", "yak"]
LABELS = np.arange(N) % 4
NAMES = [f"{i}.png" for i in range(N)]
WEIGHTS = {"net": 3.0, "svm": 1.0}


def candidate(name, skill, seed=0, **values):
    """One whose scores are noise, and that much higher for the truth."""
    scores = np.random.default_rng(seed).normal(size=(N, 4))
    scores[np.arange(N), LABELS] += skill
    own = {"title": f"{name} of its own", "kind": "network", "seconds": 90, "bytes": 2_000_000}
    return Candidate(name, scores=scores.astype("f4"), labels=LABELS, **{**own, **values})


NET, SVM = candidate("net", 2.2, temperature=2.0), candidate("svm", 2.0, 1, kind="pipeline")
WEAK = candidate("weak", 0.5, 2, seconds=5, bytes=12_000)
LATE = Candidate("late", "", "network", None, None, 0, 0, "out of time")
EVERY = [WEAK, LATE, SVM, NET]


def summed(candidates=EVERY, weights=WEIGHTS, baseline="svm", **values):
    return summarise(candidates, weights, baseline, CLASSES, NAMES, **values)


def right(probabilities):
    return probabilities.argmax(1) == LABELS


def mixed():
    return 0.75 * softmax(NET.scores / 2, axis=1) + 0.25 * softmax(SVM.scores, axis=1)


# --- the numbers ---------------------------------------------------------------------------------


def test_each_candidate_has_its_scores_and_the_best_stands_first():
    found = summed()["candidates"]
    assert [one["name"] for one in found] == ["net", "svm", "weak", "late"]
    for one, of in zip(found, [NET, SVM, WEAK], strict=False):
        probabilities = softmax(of.scores.astype(float) / of.temperature, axis=1)
        assert one["accuracy"] == accuracy_score(LABELS, probabilities.argmax(1))
        assert one["loss"] == pytest.approx(log_loss(LABELS, probabilities))
        assert (one["low"], one["high"]) == interval(right(probabilities))
    assert (found[0]["weight"], found[-1]["status"], found[-1]["loss"]) == (
        0.75,
        "out of time",
        None,
    )


def test_the_predictor_is_the_weighted_mean_of_its_members():
    summary, probabilities = summed(), mixed()
    found = summary["predictor"]
    assert found["accuracy"] == right(probabilities).mean()
    assert found["loss"] == pytest.approx(log_loss(LABELS, probabilities))
    over, bins = right(probabilities) - probabilities.max(1), np.ceil(probabilities.max(1) * 15)
    gaps = [abs(over[bins == one].sum()) / N for one in np.unique(bins)]
    assert found["ece"] == pytest.approx(sum(gaps), abs=1e-6)
    assert [one["name"] for one in found["members"]] == ["net", "svm"]
    per_class = [(one["name"], one["samples"], one["accuracy"]) for one in summary["classes"]]
    for k, one in enumerate(per_class):
        assert one == (CLASSES[k], 60, right(probabilities)[k == LABELS].mean())
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(("weights", "runner_up", "baseline"), [
    (WEIGHTS, NET, SVM), ({"net": 1}, SVM, SVM), ({"svm": 1, "net": 0}, NET, None),
])  # fmt: skip
def test_it_is_compared_with_the_best_candidate_and_the_baseline_that_it_is_not(
    weights, runner_up, baseline
):
    whole = summarise(EVERY, weights, "svm", CLASSES, NAMES)
    shares = {"net": softmax(NET.scores / 2, axis=1), "svm": softmax(SVM.scores, axis=1)}
    own = sum(w * shares[name] for name, w in weights.items()) / sum(weights.values())
    for role, other in (("runner_up", runner_up), ("baseline", baseline)):
        found = whole["comparisons"][role]
        if other is None:
            assert found is None
            continue
        pair = right(own), right(other.scores)
        assert found["name"] == other.name
        assert found["difference"] == pytest.approx(pair[0].mean() - pair[1].mean())
        assert (found["low"], found["high"]) == paired_interval(*pair)
        assert found["samples_to_decide"] == samples_to_decide(*pair)


def test_the_worst_mistakes_are_the_surest():
    found, probabilities = summed()["mistakes"], mixed()
    wrong = np.flatnonzero(~right(probabilities))
    surest = wrong[np.argsort(-probabilities[wrong].max(1))][:24]
    assert [one["index"] for one in found] == surest.tolist()
    first = surest[0]
    assert found[0]["probability"] == pytest.approx(probabilities[first].max())
    told = NAMES[first], CLASSES[LABELS[first]], CLASSES[probabilities[first].argmax()]
    assert (found[0]["sample"], found[0]["truth"], found[0]["answer"]) == told


def test_all_are_judged_on_the_samples_that_all_have_held_out():
    (half := NET.scores.copy())[::2] = np.nan
    (third := SVM.scores.copy())[::3] = np.nan
    found = summed([NET._replace(scores=half), SVM._replace(scores=third)])
    rows = [i for i in range(N) if i % 2 and i % 3]
    assert found["predictor"]["samples"] == len(rows)
    assert found["candidates"][0]["accuracy"] == right(NET.scores)[rows].mean()
    assert {one["index"] for one in found["mistakes"]} <= {*rows}


def test_of_nothing_held_out_nothing_is_said():
    found = summed([one._replace(scores=np.full((N, 4), np.nan)) for one in (NET, SVM)])
    assert (found["predictor"]["accuracy"], found["comparisons"]["runner_up"]) == (None, None)
    assert table(found).rows[0][:2] == ("predictor", "")


@pytest.mark.parametrize("weights", [{}, {"late": 1}, {"net": 0}, {"nte": 1}])
def test_a_predictor_of_what_did_not_finish_is_refused(weights):
    with pytest.raises(ValueError, match="candidates that finished"):
        summed(weights=weights)


# --- what to try next ----------------------------------------------------------------------------


def advice(**values):
    return "\n".join(summed(**values)["advice"])


@pytest.mark.parametrize(("share", "noise", "least", "most"), [(0, 0.6, 0, 18), (0.1, 0, 0.5, 5)])
def test_labels_that_look_wrong_are_named_and_hardly_another_is(share, noise, least, most):
    """scikit-learn's digits, 500 of them, a tenth of the labels changed; with much noise, none."""
    digits, draw = load_digits(), np.random.default_rng(0)
    rows = draw.permutation(len(digits.data))[:500]
    pictures, labels = digits.data[rows] / 16, digits.target[rows]
    pictures += noise * draw.normal(size=pictures.shape)
    changed = np.flatnonzero(draw.random(500) < share)
    labels[changed] = (labels[changed] + draw.integers(1, 10, len(changed))) % 10
    models = {"svm": SVC(), "logistic": LogisticRegression(max_iter=200), "linear": LinearSVC()}
    scores = {
        name: cross_val_predict(model, pictures, labels, method="decision_function")
        for name, model in models.items()
    }
    tried = [
        Candidate(name, "", "pipeline", own, labels, 1, 1, temperature=temperature(own, labels))
        for name, own in scores.items()
    ]
    found = summarise(tried, {"svm": 1}, None, list("0123456789"), range(500))
    named = {one["index"] for one in found["suspects"]}
    assert len(named & {*changed}) >= least * len(changed)
    assert len(named - {*changed}) <= most
    if share:
        said, one = found["advice"][0], found["suspects"][0]
        assert said.startswith(f"{len(named)} of 500 labels look wrong, look at them: ")
        assert f'"{one["sample"]}" ({one["truth"]}, looks like {one["answer"]})' in said


def test_a_class_with_few_samples_and_many_mistakes_lacks_examples():
    rare = NET.scores.copy()
    rare[(LABELS == 2) & (np.arange(N) % 8 > 2)] = np.nan  # 30 owls are left
    rare[LABELS == 2] -= [0, 0, 3, 0]
    said = advice(candidates=[NET._replace(scores=rare)], weights={"net": 1}, baseline=None)
    assert "lack examples" in said
    assert "owl (" in said
    assert not any(f"{name} (" in said for name in ("cat", "dog", "yak"))
    assert "lack examples" not in advice()


@pytest.mark.parametrize(("curve", "said"), [
    ([(50, 0.5), (99, 0.6), (200, 0.7)], "would help: twice the samples have brought +10"),
    ([(50, 0.7), (100, 0.69), (200, 0.7)],
     "would hardly help: twice the samples have brought +0.0 points"),
    ([(200, 0.7)], ""), ([], ""),
])  # fmt: skip
def test_the_curve_says_whether_more_data_would_help(curve, said):
    assert said in (advice(curve=curve) or "")
    assert bool(said) == ("More data" in advice(curve=curve))


@pytest.mark.parametrize(("weights", "baseline", "said"), [
    ({"net": 1}, "svm", "is not clearly better than the baseline, svm."),
    ({"weak": 1}, "svm", "is worse than the baseline, svm."),
    ({"svm": 1}, "svm", "is the baseline, svm, alone"), (WEIGHTS, "late", "late, has not finished"),
    (WEIGHTS, "weak", ""), (WEIGHTS, None, ""),
])  # fmt: skip
def test_what_is_no_better_than_the_baseline_is_said_plainly(weights, baseline, said):
    found = advice(weights=weights, baseline=baseline)
    assert said in found
    assert bool(said) == ("the baseline" in found.lower())


def test_comparisons_are_said_in_words():
    said = compare(summed(weights={"net": 1}))
    found = summed(weights={"net": 1})["comparisons"]["runner_up"]
    points = [f"{100 * found[key]:+.1f}" for key in ("difference", "low", "high")]
    assert said[0] == (
        "Against the best candidate, svm: {} points ({} to {}), a tie: about 980 samples would "
        "tell, there are 240.".format(*points)
    )
    assert len(said) == 2
    assert compare(summed(weights={"net": 1}, baseline="weak"))[1].endswith("), better.")
    assert compare(summed(weights={"weak": 1}))[1].endswith("), worse.")
    same = summed([candidate("net", 2.0, 1), SVM], {"net": 1})
    assert compare(same)[0].endswith("+0.0 points (-1.1 to +1.1), a tie.")


def test_what_did_not_finish_is_named():
    failed = LATE._replace(name="bad", status="failed", reason="no such file")
    said = advice(candidates=[*EVERY, failed])
    assert "bad has failed: no such file." in said
    assert "More minutes would try what there was no time for: late." in said


# --- the table -----------------------------------------------------------------------------------


def test_the_table_has_the_predictor_first(capsys):
    from zoo.commands._tables import print_table

    found = table(summed())
    assert [row[0] for row in found.rows] == ["predictor", "net", "svm", "weak", "late"]
    assert found.rows[0][3:] == ("100 %", "3.00", "4.00")
    assert found.rows[3][3:] == ("", "0.08", "0.01")
    assert found.rows[4] == ("late", "out of time", "", "", "0.00", "")
    print_table(found, width=80)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
