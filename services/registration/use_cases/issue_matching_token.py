"""The notice desk asks for a document's matching token: limited per author and hour, and audited."""

from datetime import datetime

from chassis.data import audit
from chassis.data.db import Transaction
from services.registration.domain.arrivals import DocumentEntry
from services.registration.domain.faults import Fault, Refused, at
from services.registration.domain.stays import CITY, MatchingTokens
from services.registration.storage import token_requests
from services.registration.vault import Vault


class TooManyTokens(Exception):
    """The author was given as many tokens as the pack allows within this hour."""


async def issue_matching_token(
    tx: Transaction,
    entry: DocumentEntry,
    *,
    author: str,
    service: str,
    vault: Vault,
    per_hour: int,
    repeated: bool,
    now: datetime,
) -> MatchingTokens:
    """Return the tokens by which a notice on this document is compared; a repeated request is not counted again.

    Raises Refused (`/document/…`), also for a number that fails its own check, and TooManyTokens.
    """
    with at("/document"):
        document = entry.read(now.astimezone(CITY).date())
        if document.to_verify:
            raise Refused(Fault("/number", "number-fails-its-check"))
    if repeated:
        return vault.matching_tokens(document)
    if not await token_requests.count(tx, author, per_hour, now):
        raise TooManyTokens
    audit.record(
        tx,
        audit.Entry(
            actor=author,
            actor_unit=service,
            action="issue-matching-token",
            # The look-up token is registration's own pseudonym of a document; whether anybody has it is not asked.
            subject=vault.lookup.token(document).value,
        ),
        now,
    )
    return vault.matching_tokens(document)
