"""Tokens: equal for one document, different for any other, and bound to their key."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.documents import Document, DocumentKind, read_document
from services.registration.domain.tokens import TokenKeys

KEYS = TokenKeys({"2026": b"a" * 32, "2025": b"b" * 32}, "2026")
DOCUMENT = Document(DocumentKind.RESIDENT_ID, "33019919900213001X", "CHN")


def test_the_token_is_the_hmac_that_others_compute() -> None:
    # Frozen, and what `openssl dgst -sha256 -hmac` gives: another value would part notices from the stays they mean.
    assert KEYS.token(DOCUMENT).key_id == "2026"
    assert KEYS.token(DOCUMENT).value == "CFNDO9-ObVeMYL07Ve2ttei4S3038ZBQqp2uzP3FUOQ"


@given(
    kind=st.sampled_from(DocumentKind), number=st.from_regex(r"[A-Z0-9]{5,18}", fullmatch=True),
    country=st.from_regex(r"[A-Z]{3}", fullmatch=True), until=st.none() | st.dates(),
)  # fmt: skip
def test_only_the_same_document_has_the_same_token(
    kind: DocumentKind, number: str, country: str, until: date | None
) -> None:
    other = Document(kind, number, country, until)
    same = (kind, number, country) == (DOCUMENT.kind, DOCUMENT.number, DOCUMENT.issuing_country)
    assert (KEYS.token(other) == KEYS.token(DOCUMENT)) is same
    assert KEYS.token(other) == KEYS.token(replace(other, valid_until=None))
    assert KEYS.expiry_token(other) != KEYS.token(other)
    assert (KEYS.expiry_token(other) is None) is (until is None)


def test_the_expiry_token_tells_a_replaced_card_from_the_lost_one() -> None:
    lost, replacement = (replace(DOCUMENT, valid_until=date(year, 5, 1)) for year in (2027, 2037))
    assert KEYS.token(lost) == KEYS.token(replacement)
    assert KEYS.expiry_token(lost) != KEYS.expiry_token(replacement)


def test_rotation_keeps_what_older_keys_made_findable() -> None:
    before = TokenKeys({"2025": b"b" * 32}, "2025").token(DOCUMENT)
    assert before in KEYS.tokens(DOCUMENT)
    assert KEYS.tokens(DOCUMENT)[0] == KEYS.token(DOCUMENT)


def test_typed_forms_of_one_number_have_one_token() -> None:
    typed = ["33019919900213001x", "３３０１９９　１９９００２１３　００１Ｘ"]
    tokens = {
        KEYS.token(
            read_document(
                DocumentKind.RESIDENT_ID, one, issuing_country=None, valid_until=None, today=date(2026, 11, 24)
            )
        )
        for one in typed
    }
    assert tokens == {KEYS.token(DOCUMENT)}


def test_weak_and_missing_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TokenKeys({"a": b"short"}, "a")
    with pytest.raises(ValueError, match="active"):
        TokenKeys({"a": b"a" * 32}, "b")
