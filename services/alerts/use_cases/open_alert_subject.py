"""The subject of an alert's notice, for an officer who works on the alert, with the alert as the case."""

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain.alerts import Alert
from services.alerts.storage import notice_store
from services.alerts.use_cases.change_notice import UnknownNotice
from services.alerts.use_cases.open_subject import OpenedSubject, Reading, SubjectNotYours, open_subject


async def open_alert_subject(tx: Transaction, alert: Alert, reading: Reading, *, keyring: Keyring) -> OpenedSubject:
    """Open and log it. Raises SubjectNotYours (another case, or no notice behind the alert), KeyErased."""
    if alert.notice_id is None or reading.case != str(alert.alert_id):
        raise SubjectNotYours
    row = await notice_store.load(tx, alert.notice_id)
    if row is None:
        raise UnknownNotice(alert.notice_id)
    return await open_subject(tx, row, reading, keyring=keyring, action="alert.subject-read")
