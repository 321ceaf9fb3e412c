"""Who takes a step: an officer, as the token of the request names them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Officer:
    """A person on duty. `subject` is the identity provider's id, the same person in every request."""

    subject: str
    name: str
    unit: str


# Steps that a clock or an event takes, not a person, stand in a history under this name.
SYSTEM = Officer(subject="system", name="", unit="")
