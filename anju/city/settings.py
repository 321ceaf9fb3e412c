"""Settings of the simulated city, from `ANJU_CITY_<NAME>`."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.run.settings import BadSettings, Environment, read


class Settings(BaseSettings):
    """Everything the simulated city is told."""

    model_config = SettingsConfigDict(env_prefix="ANJU_CITY_", frozen=True, extra="ignore", env_ignore_empty=True)

    environment: Environment = Field("production", description="Must be `demo` or `test`: it signs its own tokens.")
    services: Mapping[str, str] = Field(description="JSON `{service: address}`.")
    issuer: str = Field(description="The development identity provider's address.")
    key_file: Path = Field(description="The provider's signing key.")
    directory: Path = Field(description="Where it keeps what it remembers between starts.")
    seed: int = Field(1, ge=0, description="The same seed, the same city. A city that has begun keeps its own.")
    rate: float = Field(2.0, gt=0, le=20, description="Events a second, the day's mean.")
    premises: int = Field(300, ge=5, le=5_000, description="Premises to begin with.")
    residents: int = Field(3_000, ge=0, le=50_000, description="Residents to begin with; the city keeps about so many.")


def load() -> Settings:
    """Read the environment; raises BadSettings, in production too."""
    settings = read(Settings)
    if settings.environment == "production":
        raise BadSettings("ANJU_CITY_ENVIRONMENT: must be demo or test, the city acts as anybody")
    return settings
