"""What a command acts on: the demo city of a data directory, or the settings of the environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from anju.local.city import City

SERVICES = ("registration", "housing", "alerts", "reporting")


@dataclass(frozen=True, slots=True)
class Selection:
    """The data directory that the command line named, if it named one."""

    named: Path | None

    @property
    def directory(self) -> Path:
        """The data directory, the checkout's own without a name."""
        from anju.local.city import DEFAULT_DIRECTORY

        return self.named or DEFAULT_DIRECTORY

    def city(self) -> "City":
        """The city in the data directory; ends the command when there is none."""
        from anju.local.city import CityFailed, found

        try:
            city = found(self.directory)
        except CityFailed as error:
            refuse(str(error))
        if city is None:
            refuse(f"There is no city in {self.directory}: `anju demo up` makes one.")
        return city

    def enter(self, *processes: str) -> None:
        """Take the settings of these processes of the named city; what the environment sets already stays."""
        if self.named is None:
            return
        city = self.city()
        for process in processes:
            for name, value in city.environment(process).items():
                os.environ.setdefault(name, value)

    def enter_administration(self) -> None:
        """Take the named city's settings for administering Kafka."""
        if self.named is not None:
            for name, value in self.city().administration_environment().items():
                os.environ.setdefault(name, value)


def selection(context: typer.Context) -> Selection:
    """What the command line selected."""
    selected = context.obj
    assert isinstance(selected, Selection)
    return selected


def refuse(sentence: str) -> NoReturn:
    """End the command with this sentence."""
    typer.echo(f"anju: {sentence}", err=True)
    raise typer.Exit(1)


def known_service(name: str) -> str:
    """A service's name as an argument; refuses any other."""
    if name not in SERVICES:
        raise typer.BadParameter(f"one of {', '.join(SERVICES)}")
    return name


def chosen(service: str | None) -> tuple[str, ...]:
    """The service that a command names, or all of them; refuses a name that is none."""
    return SERVICES if service is None else (known_service(service),)


def setting(name: str) -> str:
    """A setting that the command cannot do without."""
    value = os.environ.get(name)
    if not value:
        refuse(f"{name} is missing: set it, or name a demo city with --data-dir.")
    return value
