"""`anju dead-letters`: records that a service could not handle."""

import typer

app = typer.Typer(help="Records that a service could not handle.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Records that a service could not handle."""
