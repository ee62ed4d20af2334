"""Print the script that lets a shell complete names and keys: eval "$(zoo completion bash)".

eval "$(zoo completion bash)"       in ~/.bashrc
eval "$(zoo completion zsh)"        in ~/.zshrc
zoo completion fish | source        in ~/.config/fish/config.fish
"""

import re
from argparse import SUPPRESS, ArgumentParser, Namespace
from contextlib import suppress
from importlib import import_module

BASH = r"""
_zoo_complete() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\n' word typed
    word="${line##* }"
    COMPREPLY=($(zoo completion --line "$line" 2>/dev/null))
    [[ "$COMP_WORDBREAKS" == *=* ]] && typed="${word%"${word##*=}"}"
    COMPREPLY=("${COMPREPLY[@]#"$typed"}")
    [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" != *[=./] ]] && compopt +o nospace
    return 0
}
complete -o nospace -o default -F _zoo_complete zoo
"""
ZSH = r"""
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_zoo_complete() {
    local -a choices
    choices=(${(f)"$(zoo completion --line "$LBUFFER" 2>/dev/null)"})
    if (( $#choices )); then compadd -Q -S '' -- $choices; else _files; fi
}
compdef _zoo_complete zoo
"""
FISH = r"""
function __zoo_complete
    zoo completion --line (commandline -cp) 2>/dev/null
end
complete -c zoo -a '(__zoo_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
HYDRA = ("train", "auto")  # verbs that take overrides
CONFIG_DIR = re.compile(r"\s(?:--config-dir|-cd)[= ](\S+)")


def add_arguments(parser: ArgumentParser) -> None:
    shell = parser.add_mutually_exclusive_group(required=True)
    shell.add_argument("shell", nargs="?", choices=SCRIPTS, help="whose script to print")
    shell.add_argument("--line", help=SUPPRESS)  # what was typed so far: print how it may go on


def run(args: Namespace) -> None:
    if args.shell:
        print(SCRIPTS[args.shell].strip())
    else:
        with suppress(ValueError, OSError, SystemExit):  # of a line that is no command yet
            print("\n".join(complete(args.line)))


def complete(line: str) -> list[str]:
    """How the last word of a line may go on: verbs, flags, names, keys and their values.

    Neither torch nor Lightning is imported for it.
    """
    from zoo.commands.main import Parser, verbs

    words = line.split()[1:] + [""] * line[-1:].isspace()
    verb, word = words[0] if words else "", words[-1] if words else ""
    if len(words) < 2:
        return [one for one in verbs() if one.startswith(verb)]
    if verb not in verbs():
        return []
    if word.startswith("-"):
        parser = Parser(prog="", usage=SUPPRESS)
        import_module(f"zoo.commands.{verb}").add_arguments(parser)
        flags = re.findall(r"(?<!\S)--[\w-]+", parser.format_help())
        return sorted({flag for flag in flags if flag.startswith(word)})
    return complete_override(line) if verb in HYDRA else complete_name(verb, word)


def complete_name(verb: str, word: str) -> list[str]:
    """The names of the catalog that a verb takes."""
    from zoo.catalog import registry

    groups = {"show": ("model", "data", "experiment"), "reproduce": ("experiment",)}.get(verb, ())
    names = {name for group in groups for name in registry.names(group)}
    return sorted(name for name in names if name.startswith(word))


def complete_override(line: str) -> list[str]:
    """How Hydra completes an override, over all folders of the catalog."""
    from hydra.core.global_hydra import GlobalHydra

    from zoo.catalog import registry
    from zoo.catalog.compose import own_hydra, search_path
    from zoo.utilities.compat import complete_line

    words = CONFIG_DIR.sub("", line).split()[2:] + [""] * line[-1:].isspace()
    with registry.with_config_dirs(CONFIG_DIR.findall(line)), own_hydra():
        before = [word for word in words[:-1] if not word.startswith("-")]
        rest = " ".join(["-m", *search_path(), *before, *words[-1:]])  # -m: lists may be given
        return complete_line(GlobalHydra.instance().config_loader(), rest)
