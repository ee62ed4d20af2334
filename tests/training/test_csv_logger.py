"""metrics.csv goes on where it was."""

import csv

from zoo.training import csv_logger


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_new_metric_becomes_a_column_and_old_rows_stay(tmp_path):
    logger = csv_logger.CSVLogger(save_dir=str(tmp_path))
    logger.log_metrics({"train/loss": 1.5, "epoch": 0}, step=1)
    logger.log_metrics({"val/loss": 0.5, "epoch": 0}, step=2)
    assert [row["train/loss"] for row in rows(logger.path)] == ["1.5", ""]
    assert [row["val/loss"] for row in rows(logger.path)] == ["", "0.5"]


def test_opening_it_again_appends(tmp_path):
    for step in range(3):
        csv_logger.CSVLogger(save_dir=str(tmp_path)).log_metrics({"train/loss": step}, step=step)
    assert [row["step"] for row in rows(tmp_path / "metrics.csv")] == ["0", "1", "2"]


def test_a_resume_cuts_off_what_will_be_done_again(tmp_path):
    logger = csv_logger.CSVLogger(save_dir=str(tmp_path))
    for step in range(5):
        logger.log_metrics({"train/loss": step}, step=step)
    csv_logger.cut(logger.path, 3)
    assert [row["step"] for row in rows(logger.path)] == ["0", "1", "2"]


def test_cutting_a_file_that_is_not_there_does_nothing(tmp_path):
    csv_logger.cut(tmp_path / "metrics.csv", 3)
    assert list(tmp_path.iterdir()) == []
