"""metrics.csv goes on where it was."""

import csv

import pytest

from zoo.training import csv_logger


@pytest.fixture
def logger(tmp_path):
    return csv_logger.CSVLogger(save_dir=str(tmp_path))


def column(logger, name):
    with logger.path.open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_a_new_metric_becomes_a_column_and_old_rows_stay(logger):
    logger.log_metrics({"train/loss": 1.5, "epoch": 0}, step=1)
    logger.log_metrics({"val/loss": 0.5, "epoch": 0}, step=2)
    assert (column(logger, "train/loss"), column(logger, "val/loss")) == (["1.5", ""], ["", "0.5"])


def test_opening_it_again_appends_and_a_resume_cuts_off_what_will_be_done_again(logger, tmp_path):
    csv_logger.cut(logger.path, 3)  # which is not there yet
    assert list(tmp_path.iterdir()) == []
    for step in range(5):
        csv_logger.CSVLogger(save_dir=str(tmp_path)).log_metrics({"train/loss": step}, step=step)
    assert column(logger, "step") == ["0", "1", "2", "3", "4"]
    csv_logger.cut(logger.path, 3)
    assert column(logger, "step") == ["0", "1", "2"]
