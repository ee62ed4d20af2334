"""The predictors of all four kinds of data, written once."""

import pytest

from tests.automl.making import opened_data, write_predictor


@pytest.fixture(scope="package")
def written(tiny, tmp_path_factory):
    """By kind of data: the data, and the folder of an auto run with its members beside it."""
    made = {}

    def write(name):
        if name not in made:
            data, place = opened_data(name, tiny), tmp_path_factory.mktemp(name)
            made[name] = data, write_predictor(name, data, place).parent
        return made[name]

    return write
