"""Registration's settings: `ANJU_REGISTRATION_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.run.settings import KeySet, ServiceSettings, read


class Settings(ServiceSettings):
    """What registration needs beyond what every service needs."""

    model_config = SettingsConfigDict(env_prefix="ANJU_REGISTRATION_")

    lookup_token_keys: KeySet = Field(
        description="JSON `{id: base64 of 32 bytes}`: the keys of the tokens by which registration finds a document."
    )
    lookup_token_active: str = Field(description="Id of the look-up key that new tokens are made with.")
    matching_token_keys: KeySet = Field(
        description="JSON `{id: base64 of 32 bytes}`: the keys of the tokens that notices are compared by."
    )
    matching_token_active: str = Field(description="Id of the matching key that new tokens are made with.")
    units_file: Path = Field(description="The organisation's units, as in deploy/units.yaml.")


def load() -> Settings:
    """Read the environment. Raises BadSettings."""
    return read(Settings)
