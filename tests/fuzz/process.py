"""One service's web process as the fuzz meets it: `python -m tests.fuzz.process GIVEN`, which is JSON."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from chassis.run.service import WebParts, run_web
from chassis.run.settings import ServiceSettings
from tests.provider import ISSUER, TokenProvider

ROOT = Path(__file__).resolve().parents[2]
SECRET = base64.b64encode(b"s" * 32).decode()
KEYS = json.dumps({"k1": SECRET})
SIGNING = bytes(range(32))
_PUBLIC = Ed25519PrivateKey.from_private_bytes(SIGNING).public_key().public_bytes_raw()
OF_A_SERVICE: dict[str, dict[str, Any]] = {
    "registration": {
        "lookup_token_keys": KEYS,
        "lookup_token_active": "k1",
        "matching_token_keys": json.dumps({"m1": SECRET}),
        "matching_token_active": "m1",
        "units_file": ROOT / "deploy" / "units.yaml",
    },
    "alerts": {
        "notice_signing_key": base64.b64encode(SIGNING).decode(),
        "notice_verify_keys": json.dumps({"sign-1": base64.b64encode(_PUBLIC).decode()}),
    },
}


def main(given: dict[str, Any]) -> None:
    """Run until SIGTERM. Alerts asks the real registration for tokens, as the service that it is."""
    service, provider = given["service"], TokenProvider(key=OKPKey.import_key(given["key"]))
    values = {
        "environment": "test",
        "port": given["port"],
        "database_url": given["dsn"],
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_username": service,
        "kafka_password": "not-used",
        "oidc_issuer": ISSUER,
        "oidc_client_id": service,
        "oidc_client_secret": "not-used",
        "session_secret": SECRET,
        "idempotency_secret": SECRET,
        "encryption_keys": KEYS,
        "encryption_active": "k1",
        "public_urls": {**given["addresses"], "portal": ISSUER},
        **OF_A_SERVICE.get(service, {}),
    }
    settings, factory = _composition(service, values, given["addresses"], provider)

    def web(settings: ServiceSettings) -> WebParts:
        parts = factory(settings)
        provider.serve(parts)
        return parts

    run_web(web, settings)


def _composition(
    service: str, values: dict[str, Any], addresses: dict[str, str], provider: TokenProvider
) -> tuple[ServiceSettings, Callable[[Any], WebParts]]:
    if service == "registration":
        from services.registration import settings, wiring

        return settings.Settings.model_validate(values), wiring.web
    if service == "housing":
        from services.housing import settings as housing
        from services.housing import wiring as of_housing

        return housing.Settings.model_validate(values), of_housing.web
    if service == "reporting":
        from services.reporting import settings as reporting
        from services.reporting import wiring as of_reporting

        return reporting.Settings.model_validate(values), of_reporting.web
    from services.alerts import settings as alerts
    from services.alerts import wiring as of_alerts
    from services.alerts.registration_client import RegistrationClient

    async def own_token() -> str:
        return provider.headers("service", "", "alerts")["authorization"].removeprefix("Bearer ")

    client = RegistrationClient(addresses["registration"], own_token)
    return alerts.Settings.model_validate(values), lambda given: of_alerts.web(given, client)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
