"""The author's unit proposes a later end; the running term goes on until another unit approves the new one."""

from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.alerts.domain import notices
from services.alerts.domain.alerts import city_day
from services.alerts.domain.contents import ProposalRefused, check_end
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.change_notice import change_notice


async def renew_notice(
    tx: Transaction, notice_id: UUID, ends_at: datetime, *, by: Officer, keyring: Keyring, packs: Packs, district: str
) -> Notice:
    """Propose a renewal, at most one longest term of the kind from now.

    Raises UnknownNotice, NotYourUnit, WrongNoticeState, ProposalRefused.
    """

    def decide(notice: Notice, now: datetime) -> Notice:
        content = notices.renewed_content(notice, by, ends_at)
        renewed = notices.renew(notice, content, by, now)
        rules = packs.on(city_day(now), district).notices
        latest_end = rules.latest_end(content.kind.value, max(now, content.starts_at))
        faults = list(check_end(content.starts_at, ends_at, latest_end, now))
        if faults:
            raise ProposalRefused(faults)
        return renewed

    return await change_notice(tx, notice_id, "renewal_proposed", decide, by=by, keyring=keyring)
