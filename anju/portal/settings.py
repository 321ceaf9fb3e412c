"""Settings of the portal, from `ANJU_PORTAL_<NAME>`."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.run.settings import BadSettings, ProcessSettings, read


class Client(BaseModel):
    """A service as a client of the identity provider."""

    secret: SecretStr
    redirect_uris: tuple[str, ...] = ()


class Settings(ProcessSettings):
    """Everything the portal is told."""

    model_config = SettingsConfigDict(env_prefix="ANJU_PORTAL_")

    issuer: str = Field(description="Its own address, as services and browsers see it.")
    key_file: Path = Field(description="The signing key; made at the first start.")
    clients: Mapping[str, Client] = Field(description="JSON `{client: {secret, redirect_uris}}`, one for each service.")
    public_urls: Mapping[str, str] = Field(description="JSON `{service: address as browsers see it}`.")
    metrics_urls: Mapping[str, str] = Field(
        default_factory=dict,
        description="JSON `{process: address}` of the processes whose metrics and API its start page asks for figures.",
    )
    units_file: Path = Field(description="File of the organisation, for the units' names.")


def load() -> Settings:
    """Read the environment; raises BadSettings, in production too: whoever opens the portal may be anybody."""
    settings = read(Settings)
    if settings.environment == "production":
        raise BadSettings("ANJU_PORTAL_ENVIRONMENT: must be demo or test, the portal logs in anybody as anyone")
    return settings
