"""Who sees whom a notice names, and that it is logged and sealed."""

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.tables import audit_entries
from tests.service.alerts.callers import Api
from tests.service.alerts.conftest import KEYRING
from tests.service.alerts.test_notices_api import NUMBER, approve, proposal, propose

pytestmark = pytest.mark.postgres

AUTHOR = ("notice_author", "notice-desk-01", "赵一")
APPROVER = ("notice_approver", "notice-desk-02", "孙三")
OVERSEER = ("overseer", "oversight", "周五")


async def test_the_subject_is_for_its_authors_unit_and_who_decides_and_each_look_is_logged(
    api: Api, db: Database
) -> None:
    """With purpose and case; never in lists, never to others, never after the decision to the approver."""
    notice = await propose(api)
    path, why = f"/notices/{notice['notice_id']}", {"purpose": "notice_verification", "case": "N-1"}
    colleague = ("notice_author", "notice-desk-01", "钱二")
    for reader in (AUTHOR, colleague, APPROVER):
        body = (await api.get(path, *reader, **why)).json()
        assert body["subject"]["document"]["number"] == NUMBER
        assert body["subject_as_signed"] is True
        assert NUMBER not in body["content"]
    others = [
        ("notice_author", "notice-desk-02", "吴六"),
        ("notice_approver", "notice-desk-01", "郑七"),
    ]
    for reader in others:
        assert "subject" not in (await api.get(path, *reader, **why)).json()
    for reader in (AUTHOR, APPROVER, OVERSEER):
        assert "subject" not in (await api.get(path, *reader)).json()
        assert NUMBER not in (await api.get("/notices", *reader)).text
    await approve(api, notice)
    assert "subject" not in (await api.get(path, *APPROVER, **why)).json()
    async with db.read() as tx:
        rows = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "notice.subject-read"))
    assert [(row.actor, row.purpose, row.case) for row in rows] == [
        (api.provider.subject(*reader), "notice_verification", "N-1") for reader in (AUTHOR, colleague, APPROVER)
    ]
    assert (await audit.verify(db, KEYRING)).first_bad is None


async def test_purpose_and_case_are_both_needed_and_of_the_role(api: Api) -> None:
    """400 for one alone or malformed, 403 for another role's purpose."""
    path = f"/notices/{(await propose(api))['notice_id']}"
    for wrong in ({"purpose": "notice_verification"}, {"purpose": "notice_verification", "case": "no spaces"}):
        response = await api.get(path, *AUTHOR, **wrong)
        assert (response.status_code, response.json()["type"]) == (400, "urn:anju:problem:purpose-required")
    assert (await api.get(path, *AUTHOR, purpose="registration_service", case="1")).status_code == 403


async def test_the_subject_is_sealed_in_the_database(api: Api, db: Database) -> None:
    """Neither number nor name stands in any table."""
    await propose(api)
    async with db.read() as tx:
        names = [
            row.tablename for row in await tx.all(sa.text("SELECT tablename FROM pg_tables WHERE schemaname='public'"))
        ]
        for name in names:
            found = await tx.scalar(
                sa.text(
                    f"SELECT count(*) FROM {name} t WHERE t::text LIKE '%' || :number || '%' OR t::text LIKE '%陈某%'"
                ).bindparams(number=NUMBER)
            )
            assert found == 0, name


async def test_other_roles_have_no_part_in_notices(api: Api) -> None:
    """403 for reading and for each step."""
    notice = await propose(api)
    for role in ("clerk", "inspector", "duty_officer", "manager", "administrator", "resident"):
        await _is_kept_out(api, f"/notices/{notice['notice_id']}", role)


async def _is_kept_out(api: Api, path: str, role: str) -> None:
    assert (await api.get("/notices", role, "city")).status_code == 403
    assert (await api.get(path, role, "city")).status_code == 403
    assert (await api.post("/notices", proposal(), role, "city")).status_code == 403
    assert (await api.post(f"{path}/approval", {"content_hash": "0" * 64}, role, "city")).status_code == 403
    assert (await api.post(f"{path}/withdrawal", {"reason": "x"}, role, "city")).status_code == 403
    assert (await api.post(f"{path}/suspension", {"reason": "x"}, role, "city")).status_code == 403
