"""Settings: read from the environment, refused with a sentence that shows no value, and documented."""

import base64

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.run.settings import BadSettings, KeySet, ServiceSettings, decode_keys, decode_secret, generate_docs, read

SECRET = base64.b64encode(bytes(range(32))).decode()
COMPLETE = {
    "DATABASE_URL": "postgresql://demo:hunter2@127.0.0.1/demo",
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "KAFKA_USERNAME": "demo",
    "KAFKA_PASSWORD": "hunter2",
    "OIDC_ISSUER": "http://127.0.0.1:8100",
    "OIDC_CLIENT_ID": "demo",
    "OIDC_CLIENT_SECRET": "hunter2",
    "SESSION_SECRET": SECRET,
    "IDEMPOTENCY_SECRET": SECRET.replace("+", "-").replace("/", "_").rstrip("="),
    "ENCRYPTION_KEYS": f'{{"k1": "{SECRET}"}}',
    "ENCRYPTION_ACTIVE": "k1",
    "PUBLIC_URLS": '{"demo": "http://127.0.0.1:8101"}',
}


class Settings(ServiceSettings):
    """A service's settings with one of its own."""

    model_config = SettingsConfigDict(env_prefix="ANJU_DEMO_")

    units_file: str = Field("units.yaml", description="File of the organisation | its tree.")
    lookup_keys: KeySet | None = Field(None, description="Keys.")


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A complete environment."""
    for name, value in COMPLETE.items():
        monkeypatch.setenv(f"ANJU_DEMO_{name}", value)
    return monkeypatch


def test_read(complete: pytest.MonkeyPatch) -> None:
    settings = read(Settings)
    assert settings.service() == "demo"
    assert settings.public_urls == {"demo": "http://127.0.0.1:8101"}
    assert decode_secret(settings.session_secret) == decode_secret(settings.idempotency_secret) == bytes(range(32))
    assert decode_keys(settings.encryption_keys) == {"k1": bytes(range(32))}
    assert len(settings.replica) == 8
    assert "hunter2" not in repr(settings)


def test_what_is_missing_or_wrong_is_named_without_its_value(complete: pytest.MonkeyPatch) -> None:
    complete.delenv("ANJU_DEMO_KAFKA_BOOTSTRAP")
    complete.setenv("ANJU_DEMO_PORT", "hunter2")
    complete.setenv("ANJU_DEMO_SESSION_SECRET", "aHVudGVyMg==")
    complete.setenv("ANJU_DEMO_IDEMPOTENCY_SECRET", "hunter2!")
    complete.setenv("ANJU_DEMO_ENCRYPTION_KEYS", '{"k1": 5, "hunter2": ""}')
    with pytest.raises(BadSettings) as refused:
        read(Settings)
    sentence = str(refused.value)
    assert "hunter2" not in sentence
    assert "ANJU_DEMO_KAFKA_BOOTSTRAP: is missing" in sentence
    assert "ANJU_DEMO_SESSION_SECRET: must be base64 of at least 32 bytes" in sentence
    assert "ANJU_DEMO_IDEMPOTENCY_SECRET: is not base64" in sentence
    for name in ("PORT", "ENCRYPTION_KEYS"):
        assert f"ANJU_DEMO_{name}: " in sentence
    assert refused.value.__cause__ is None


def test_docs_name_every_variable_and_no_secret() -> None:
    page = generate_docs([Settings])
    for name in Settings.model_fields.keys() - {"units_file", "lookup_keys"}:
        assert f"`ANJU_<SERVICE>_{name.upper()}`" in page
    assert "| `ANJU_DEMO_UNITS_FILE` | `units.yaml` | File of the organisation \\| its tree. |" in page
    assert page == generate_docs([Settings])
    for field in ServiceSettings.model_fields.values():
        assert field.description
