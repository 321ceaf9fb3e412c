"""What is wrong with what somebody entered, field by field, so that all of it can be shown at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that cannot be accepted. `pointer` is a JSON pointer into the request, `code` is stable."""

    pointer: str
    code: str


class Refused(Exception):
    """Entered data is refused; nothing of what was entered is in the exception's text."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(", ".join(f"{fault.pointer} {fault.code}" for fault in faults))
        self.faults = faults
