"""`anju docs`: the pages of docs/ that are generated from code."""

from importlib import import_module
from typing import Annotated

import typer

from anju.cli.selection import SERVICES, refuse


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
        CHECKOUT / "docs" / "settings.md": generate_docs(classes),
        CHECKOUT / "docs" / "processing-notice.md": notice.page(collect.everything()),
    }
    old = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    if check and old:
        names = ", ".join(str(page.relative_to(CHECKOUT)) for page in old)
        refuse(f"out of date: {names}; `anju docs` writes them.")
    for page in old:
        page.write_text(pages[page], encoding="utf-8")
        typer.echo(f"written: {page.relative_to(CHECKOUT)}")
