"""Settings of alerts, read once from ANJU_ALERTS_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.run.settings import KeySet, Secret32, ServiceSettings, read


class Settings(ServiceSettings):
    """What alerts needs beside what every service does."""

    model_config = SettingsConfigDict(env_prefix="ANJU_ALERTS_")

    notice_signing_key: Secret32 | None = Field(
        None,
        description="Base64 of 32 bytes: the Ed25519 key that signs approvals. Given to the web process alone.",
    )
    notice_verify_keys: KeySet = Field(
        description="JSON `{id: base64 of 32 bytes}`: the Ed25519 keys by which the matcher checks approvals.",
    )
    registration_url: str = Field("http://127.0.0.1:8101", description="Where this service reaches registration.")


def load() -> Settings:
    """Read the environment. Raises BadSettings, one sentence per variable."""
    return read(Settings)
