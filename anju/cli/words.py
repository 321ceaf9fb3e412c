"""The order of the command line's words: --data-dir stands anywhere, and is taken in front."""

import os
import shlex

DATA_DIR = "--data-dir"
# By this a shell's completion calls the program; in one of the others, by shell, it hands over the words.
COMPLETE = "_ANJU_COMPLETE"
_WORDS = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def data_dir_first(words: list[str]) -> list[str]:
    """The arguments with --data-dir, wherever it stood, in front of the command, where the root takes it."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(words)
    for word in pending:
        if word == "--":
            rest += [word, *pending]
        elif word == DATA_DIR:
            front += [word, *(value for value in [next(pending, None)] if value is not None)]
        elif word.startswith(f"{DATA_DIR}="):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


def data_dir_first_when_completing() -> None:
    """The same for the words before the one that a shell completes now."""
    name = next((each for each in _WORDS if each in os.environ), None)
    if name is None:
        return
    text = os.environ[name]
    try:
        words = shlex.split(text)
    except ValueError:  # an open quotation mark
        return
    whole = len(words) if text.endswith(" ") else len(words) - 1
    begun = int(os.environ["COMP_CWORD"]) if name == "COMP_WORDS" else whole
    if words[begun - 1 : begun] == [DATA_DIR]:
        return  # the directory itself is being completed
    moved = shlex.join([*words[:1], *data_dir_first(words[1:begun]), *words[begun:]])
    os.environ[name] = f"{moved} " if begun == len(words) else moved
