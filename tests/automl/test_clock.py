"""The minutes of a search over all of its starts."""

from concurrent.futures import ThreadPoolExecutor

from zoo.automl.clock import Clock


def test_the_clock_counts_all_starts(tmp_path):
    first = Clock(tmp_path / "clock.json", minutes=2)
    first.before = 90.0
    first.save()
    assert 29 < Clock(tmp_path / "clock.json", minutes=2).left <= 30


def test_threads_may_save_at_once(tmp_path):
    clock = Clock(tmp_path / "clock.json", minutes=1)
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda _: clock.save(), range(200))] == [None] * 200
