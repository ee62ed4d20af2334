"""`zoo train` as a Hydra application: Hydra parses, sweeps and launches; composing stays ours.

Hydra asks a config loader for the config of each run. The one here gives what
zoo/catalog/compose.py makes of the overrides, so that the schema, the experiment of a model's name
and `init=` hold in every job of any launcher. Hydra's own section comes from the same files
(conf/train.yaml, an experiment's, the command line), and what of it cannot hold here is refused,
not passed over.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hydra.core.config_loader import ConfigLoader
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from zoo.catalog import registry
from zoo.catalog.compose import compose_hydra, own_hydra, search_path
from zoo.catalog.overrides import escape
from zoo.catalog.parsing import parse, to_hydra, trust
from zoo.training import launch
from zoo.training.run import Run
from zoo.utilities.errors import no_such

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


INSTEAD = (
    "a run says what it does on standard error; metrics are written by logger=[csv,tensorboard]"
)
FOLDER = "a run's folder is runs/<experiment>/<name>, a job's <name>/<job>: give name=NAME"
QUIET = {"version": 1, "root": None, "disable_existing_loggers": False}
OURS: dict[str, tuple[tuple[Any, ...], str]] = {  # the values that a key may have, and why
    "run.dir": ((".",), FOLDER),
    "sweep.dir": ((".",), FOLDER),
    "sweep.subdir": ((".",), FOLDER),
    "output_subdir": ((None,), "config.yaml in the run's folder says what ran"),
    "job.chdir": ((None, False), "a run stays in the working directory, and writes to runs/"),
    "verbose": ((False,), "ZOO_DEBUG=1 shows where an error came from"),
    "job_logging": ((QUIET,), INSTEAD),
    "hydra_logging": ((QUIET,), INSTEAD),
}
PLUGINS = {"hydra/launcher": "hydra-{}-launcher", "hydra/sweeper": "hydra-{}-sweeper"}


class Loader(ConfigLoader):
    """What Hydra asks for configs.

    Args:
        files: Hydra's own loader, of conf/.

    Attributes:
        card: of the weights that the last run composed starts from.
        sweep_dir: the folder in which a sweep's sweeper and launcher may write.
    """

    def __init__(self, files: ConfigLoader) -> None:
        self.files, self.sweep_dir = files, "."
        self.card: dict[str, Any] | None = None
        self.last: tuple[list[str], DictConfig] | None = None

    def load_configuration(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode,
        from_shell: bool = True, validate_sweep_overrides: bool = True,
    ) -> DictConfig:  # fmt: skip
        """The config of a run, or that of a sweep, in which only Hydra's section counts.

        Raises:
            ValueError: any wrong name, key or value, in one line.
        """
        trust(overrides)
        parsed = parse(overrides)
        self._check_plugins(parsed)
        config, is_run = self._hydra_section(parsed, run_mode), run_mode == RunMode.RUN
        check_hydra(config.hydra)
        lines = {own: _lines(parsed, own) for own in (True, False)}
        if is_run:
            composed, self.card = launch.compose_with_command(lines[False])
            config = DictConfig({**escape(composed), "hydra": config.hydra})
        with open_dict(config):
            config.hydra.sweep.dir = self.sweep_dir
            config.hydra.overrides.hydra = lines[True]
            config.hydra.overrides.task = lines[False]
        return config

    def _hydra_section(self, parsed: "list[Override]", run_mode: RunMode) -> DictConfig:
        """What Hydra composes, which is asked for several times with the same overrides."""
        if run_mode == RunMode.MULTIRUN:
            parsed = [one for one in parsed if not one.is_sweep_override()]
        key = [str(one.input_line) for one in parsed]
        if self.last is None or self.last[0] != key:
            self.last = key, compose_hydra(parsed)
        return deepcopy(self.last[1])

    def _check_plugins(self, parsed: "list[Override]") -> None:
        """Say how a launcher or sweeper is installed that is not there."""
        for one in parsed:
            group = one.key_or_group
            if group in PLUGINS and one.value() not in (names := self.get_group_options(group)):
                package = PLUGINS[group].format(str(one.value()).partition("_")[0])
                hint = f"`pip install {package}` may bring it"
                raise ValueError(f"{no_such(group, str(one.value()), names)}; {hint}")

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        """The config of one job of a sweep."""
        overrides = [*master_config.hydra.overrides.hydra, *sweep_overrides]
        config = self.load_configuration("train", overrides, RunMode.RUN)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)  # of ${now:...}
        return config

    def get_search_path(self) -> Any:
        return self.files.get_search_path()

    def get_sources(self) -> Any:
        return self.files.get_sources()

    def list_groups(self, parent_name: str) -> list[str]:
        return self.files.list_groups(parent_name)

    def get_group_options(self, group_name: str, *args: Any, **more: Any) -> list[str]:
        if group_name in registry.GROUPS:
            return registry.names(group_name)
        return self.files.get_group_options(group_name, *args, **more)

    def compute_defaults_list(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode
    ) -> Any:
        texts = [text for one in parse(overrides) for text in to_hydra(one)]
        return self.files.compute_defaults_list(config_name, [*search_path(), *texts], run_mode)


def _lines(parsed: "list[Override]", own: bool) -> list[str]:
    """Overrides as they were typed: Hydra's own, or the others."""
    return [str(one.input_line) for one in parsed if one.is_hydra_override() == own]


def check_hydra(section: DictConfig) -> None:
    """Refuse what Hydra does elsewhere and does not do here.

    Raises:
        ValueError: with what to use instead.
    """
    plain = OmegaConf.to_container(section, resolve=False)
    for key, (values, instead) in OURS.items():
        value: Any = plain
        for part in key.split("."):
            value = value[part]
        if value not in values:
            text = "changed" if isinstance(value, dict) else repr(value)
            raise ValueError(f"hydra.{key} is {text}, which does nothing here: {instead}")


@contextmanager
def application() -> Iterator[Any]:
    """Hydra, as the program whose configs are ours."""
    from hydra.core.global_hydra import GlobalHydra

    with own_hydra():
        app: Any = GlobalHydra.instance().hydra
        app.config_loader = Loader(app.config_loader)
        yield app


def is_multirun(app: Any, arguments: Sequence[str]) -> bool:
    """Whether hydra.mode, typed or an experiment's, asks for a sweep.

    Raises:
        ValueError: it does not, but a launcher or sweeper is chosen.
    """
    config = app.config_loader.load_configuration("train", list(arguments), RunMode.MULTIRUN)
    if config.hydra.mode == RunMode.MULTIRUN:
        return True
    for line in config.hydra.overrides.hydra:
        if line.lstrip("+~").startswith(("hydra/launcher", "hydra.launcher", "hydra/sweeper",
                                         "hydra.sweeper")):  # fmt: skip
            raise ValueError(f"{line} is for the jobs of a sweep: add -m")
    return False


def run(app: Any, arguments: Sequence[str]) -> Run:
    """One run, in this process or those that it starts."""

    def task(config: DictConfig) -> Run | Exception:
        try:
            return launch.start_composed(plain_config(config), app.config_loader.card)
        except Exception as error:  # of which Hydra would say more than its line
            return error

    outcome: Run | Exception = app.run("train", task, list(arguments), False).return_value
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def plain_config(config: DictConfig) -> dict[str, Any]:
    """The config that Hydra hands to a task, as it was composed."""
    plain = OmegaConf.to_container(config, resolve=True)
    return plain  # type: ignore[return-value]


def show_config(
    app: Any, arguments: Sequence[str], kind: str, package: str | None, resolve: bool
) -> None:
    """Print the resolved config of the run (`job`), Hydra's section (`hydra`), or both (`all`).

    Raises:
        ValueError: there is no such part of it.
    """
    from hydra.core.hydra_config import HydraConfig

    config = app.config_loader.load_configuration("train", list(arguments), RunMode.RUN)
    HydraConfig.instance().set_config(config)
    with flag_override(config.hydra, ["struct", "readonly"], False):
        del config.hydra["help"], config.hydra["hydra_help"]  # texts, which Hydra hides as well
    if kind == "job":
        del config["hydra"]
    part: Any = OmegaConf.masked_copy(config, "hydra") if kind == "hydra" else config
    if package not in (None, "_global_"):
        part = OmegaConf.select(part, package)
        if part is None:
            raise ValueError(f"--package is {package}: the config has no such part")
    text = OmegaConf.to_yaml(part, resolve=resolve) if OmegaConf.is_config(part) else f"{part}\n"
    print(text, end="")


def show_info(app: Any, arguments: Sequence[str], what: str) -> None:
    """Print what Hydra knows of its plugins, the search path, the defaults and the config."""
    handlers, level = logging.root.handlers[:], logging.root.level
    compose = app.config_loader.load_configuration

    def compose_quietly(*args: Any, **more: Any) -> DictConfig:
        logging.disable(logging.INFO)  # what it prints goes through the log, as does all else
        try:
            return compose(*args, **more)
        finally:
            logging.disable(logging.NOTSET)

    app.config_loader.load_configuration = compose_quietly
    try:
        app.show_info(what, "train", list(arguments))
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
