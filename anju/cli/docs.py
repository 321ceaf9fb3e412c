"""`anju docs`: the pages of docs/ that are generated from code."""

from importlib import import_module
from typing import Annotated

import typer

from anju.cli.selection import SERVICES, refuse

# What commands read beside the services' settings, which they read too: name, default, what it is.
COMMANDS = (
    ("ANJU_KAFKA_BOOTSTRAP", "required", "`anju topics …`, `anju doctor`: `host:port`, several parted by commas."),
    ("ANJU_KAFKA_USERNAME", "required", "A user that may make topics and grant rights."),
    ("ANJU_KAFKA_PASSWORD", "required", "Its password."),
    ("ANJU_KAFKA_MECHANISM", "`SCRAM-SHA-512`", "`PLAIN` at a listener that knows no SCRAM users yet."),
    ("ANJU_KAFKA_USERS", "`{}`", "`anju topics apply`: JSON `{name: password}`; users to make where they are missing."),
    ("ANJU_<DEPARTMENT>_KAFKA_BOOTSTRAP", "required", "`anju subscribe`: `host:port`; `-` of a name is `_`."),
    ("ANJU_<DEPARTMENT>_KAFKA_USERNAME", "required", "The department's SCRAM user, named as its unit."),
    ("ANJU_<DEPARTMENT>_KAFKA_PASSWORD", "required", "Its password."),
    ("ANJU_HOST", "asked for", "`.env` of `docker compose`: the name under which browsers reach the proxy."),
    ("ANJU_ENVIRONMENT", "`demo`", "`.env` of `docker compose`: every service's `ENVIRONMENT`."),
    ("ANJU_CHROMIUM", "found or installed", "`make test`: the Chromium of the browser tests."),
)


def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; refuse when a page is out of date.")] = False,
) -> None:
    """Write the generated pages of docs/."""
    from anju.data_protection import collect, notice
    from anju.local.binaries import CHECKOUT
    from chassis.run.settings import generate_docs

    classes = [import_module(f"services.{service}.settings").Settings for service in SERVICES]
    classes += [import_module(f"anju.{part}.settings").Settings for part in ("portal", "city")]
    pages = {
        CHECKOUT / "docs" / "settings.md": generate_docs(classes, COMMANDS),
        CHECKOUT / "docs" / "processing-notice.md": notice.page(collect.everything()),
    }
    old = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    if check and old:
        names = ", ".join(str(page.relative_to(CHECKOUT)) for page in old)
        refuse(f"out of date: {names}; `anju docs` writes them.")
    for page in old:
        page.write_text(pages[page], encoding="utf-8")
        typer.echo(f"written: {page.relative_to(CHECKOUT)}")
