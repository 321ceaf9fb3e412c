"""Settings of one service, read once from `ANJU_<SERVICE>_<NAME>`, and the page that documents them."""

import base64
import binascii
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

Environment = Literal["production", "demo", "test"]
# A session cookie and an idempotency key are sealed with 256 bits (AES-256-GCM, HMAC-SHA-256).
SECRET_BYTES = 32


class BadSettings(Exception):
    """A setting is missing or wrong. Says which and how, never its value."""


def _decode(text: str) -> bytes:
    """Read base64, standard or URL-safe, padded or not; raises ValueError without the text."""
    try:
        return base64.b64decode(text.translate({45: "+", 95: "/"}) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _is_secret(value: SecretStr) -> SecretStr:
    if len(_decode(value.get_secret_value())) < SECRET_BYTES:
        raise ValueError(f"must be base64 of at least {SECRET_BYTES} bytes")
    return value


def _is_key_set(value: SecretStr) -> SecretStr:
    decode_keys(value)
    return value


def decode_secret(value: SecretStr) -> bytes:
    """Return the bytes of a base64 setting."""
    return _decode(value.get_secret_value())


def decode_keys(value: SecretStr) -> dict[str, bytes]:
    """Return `{key id: key}` of a setting that is a JSON object `{id: base64}`; raises ValueError without any value."""
    try:
        named = orjson.loads(value.get_secret_value())
    except orjson.JSONDecodeError:
        raise ValueError("must be a JSON object {id: base64}") from None
    if not isinstance(named, dict) or not named or not all(isinstance(key, str) for key in named.values()):
        raise ValueError("must be a JSON object {id: base64} with at least one key")
    return {name: _decode(key) for name, key in named.items()}


Secret32 = Annotated[SecretStr, AfterValidator(_is_secret)]
KeySet = Annotated[SecretStr, AfterValidator(_is_key_set)]


class ProcessSettings(BaseSettings):
    """What every web process needs, the portal's too."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True, validate_default=True
    )

    @classmethod
    def service(cls) -> str:
        """Return the service's name, as its variables spell it."""
        return str(cls.model_config.get("env_prefix", "")).removeprefix("ANJU_").rstrip("_").lower()

    environment: Environment = Field("production", description="Where it runs. `demo` and `test` allow test tokens.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(0, ge=0, le=65535, description="Port of the web process; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    trace_sample_ratio: float = Field(
        0.01, ge=0, le=1, description="Share of requests that are traced, if the caller has not decided it."
    )
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="Collector of traces, as `http://host:4318` (OTLP over HTTP); empty: they stay in the log.",
    )


class ServiceSettings(ProcessSettings):
    """What every service needs. A service subclasses it with its own `env_prefix` and adds its own."""

    worker_port: int = Field(0, ge=0, le=65535, description="Port of the worker's health page; 0 takes a free one.")
    replica: str = Field(
        default_factory=lambda: secrets.token_hex(4),
        pattern=r"^[A-Za-z0-9-]{1,32}$",
        description="Names this copy of the worker to Kafka, so that a restarted one takes over at once; else random.",
    )

    database_url: str = Field(
        repr=False, description="`postgresql://user:password@host:port/name` of the service's own role."
    )
    database_pool: int = Field(10, ge=2, le=200, description="Connections that one process holds at most.")
    kafka_bootstrap: str = Field(description="`host:port`, several parted by commas.")
    kafka_username: str = Field(description="The service's SCRAM user.")
    kafka_password: SecretStr = Field(description="Its password.")

    oidc_issuer: str = Field(description="Issuer of the OpenID Connect provider; its discovery page is read below it.")
    oidc_client_id: str = Field(description="The service's client at the provider.")
    oidc_client_secret: SecretStr = Field(description="Its secret.")
    api_audience: str = Field("anju", description="Audience that a bearer token must name.")
    claim_role: str = Field("anju_role", description="Claim that holds the role.")
    claim_unit: str = Field("anju_unit", description="Claim that holds the unit.")

    session_secret: Secret32 = Field(description="Base64, 32 bytes or more: seals the session cookies.")
    idempotency_secret: Secret32 = Field(description="Base64, 32 bytes or more: keys the MACs of idempotency keys.")
    encryption_keys: KeySet = Field(description="JSON `{id: base64 of 32 bytes}`: the keys that seal subjects' keys.")
    encryption_active: str = Field(description="Id of the key that seals new ones.")

    public_urls: Mapping[str, str] = Field(
        default_factory=dict, description="JSON `{service: address as browsers see it}`, `portal` among them."
    )
    district: str = Field("330199", pattern=r"^\d{6,12}$", description="Division code of the city, by GB/T 2260.")

    max_in_flight: int = Field(200, ge=1, description="Requests handled at once; the next one is answered 503.")
    max_streams: int = Field(500, ge=1, description="Event streams open at once; the next one is answered 503.")


S = TypeVar("S", bound=BaseSettings)


def read(settings: type[S]) -> S:
    """Read the environment; raises BadSettings with one sentence per wrong variable."""
    prefix = settings.model_config.get("env_prefix", "")
    try:
        return settings()
    except ValidationError as error:
        lines = [
            f"{prefix}{str(fault['loc'][0]).upper()}: {_why(fault['type'], fault['msg'])}"
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
            if fault["loc"]
        ]
        raise BadSettings("; ".join(lines) or "settings do not fit together") from None


def _why(kind: str, message: str) -> str:
    return "is missing" if kind == "missing" else message.removeprefix("Value error, ")


def generate_docs(settings: Sequence[type[BaseSettings]], commands: Sequence[tuple[str, str, str]] = ()) -> str:
    """Return docs/settings.md: a table of the variables that all of `settings` share, one per class, one of commands.

    `commands` are name, default and meaning of what no class has.
    """
    shared = ServiceSettings.model_fields
    parts = [
        "# Settings",
        "Generated by `anju docs`; do not edit. Every process reads its settings once, at start, from the environment.",
        "## Every service",
        "`<SERVICE>` is the service's name in capitals, for example `ANJU_ALERTS_PORT`.",
        _table("ANJU_<SERVICE>_", dict(shared)),
    ]
    for each in settings:
        prefix = each.model_config.get("env_prefix", "")
        inherited = issubclass(each, ServiceSettings)
        own = {name: field for name, field in each.model_fields.items() if not (inherited and name in shared)}
        parts.append(f"## {prefix.removeprefix('ANJU_').rstrip('_').lower()}")
        parts.append(_table(prefix, own) if own else "Nothing of its own.")
    if commands:
        parts += ["## Commands", _rows(f"| `{name}` | {default} | {meaning} |" for name, default, meaning in commands)]
    return "\n\n".join(parts) + "\n"


def _table(prefix: str, fields: Mapping[str, Any]) -> str:
    return _rows(
        f"| `{prefix}{name.upper()}` | {_default(field)} | {(field.description or '').replace('|', chr(92) + '|')} |"
        for name, field in fields.items()
    )


def _rows(rows: Iterable[str]) -> str:
    return "\n".join(["| Variable | Default | What it is |", "|---|---|---|", *rows])


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return "`{}`" if field.default_factory is dict else "made at start"
    return f"`{field.default}`" if str(field.default) else "empty"
