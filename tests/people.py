"""The tests' invented people: the ones of the simulated city."""

from anju.city.people import DOCUMENT_KINDS, People, check_digit, typed_badly, wrong_check_digit

__all__ = ["DOCUMENT_KINDS", "People", "check_digit", "typed_badly", "wrong_check_digit"]
