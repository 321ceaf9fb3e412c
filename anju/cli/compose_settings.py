"""`anju compose-settings`: a .env file for docker-compose.yml, every secret drawn anew."""

from typing import Annotated

import typer


def compose_settings(
    host: Annotated[
        str, typer.Option(help="The name by which browsers and services reach the city.")
    ] = "anju.localhost",
    port_base: Annotated[int, typer.Option(min=1024, max=65000, help="Portal here, services above.")] = 8100,
    tls: Annotated[bool, typer.Option("--tls", help="The proxy has a certificate: addresses are https.")] = False,
    issuer: Annotated[
        str | None, typer.Option(help="Of an OpenID Connect provider of your own, instead of the development portal.")
    ] = None,
) -> None:
    """Print settings for docker-compose.yml with new secrets. Keep them: without its keys a city's data is lost."""
    from anju.compose import settings

    for name, value in settings(host, port_base, tls=tls, issuer=issuer).items():
        typer.echo(f"{name}={value}")
