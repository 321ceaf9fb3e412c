"""Reporting's settings: `ANJU_REPORTING_…`."""

from pydantic_settings import SettingsConfigDict

from chassis.run.settings import ServiceSettings, read


class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""

    model_config = SettingsConfigDict(env_prefix="ANJU_REPORTING_")


def load() -> Settings:
    """Read the environment. Raises BadSettings."""
    return read(Settings)
