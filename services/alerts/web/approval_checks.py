"""What an approver ticks off before signing. It is asked of people, at the page; the API has no such list."""

from chassis.web.forms import Form
from chassis.web.i18n import N_, gettext

PREFIX = "checked."
# In the order of the content above them: paper, person, term, and who must not be endangered by it.
CHECKS = {
    "instrument": N_("Number, authority and date are those of the instrument itself"),
    "document": N_("The document number was read against the paper, under View"),
    "term": N_("Term, recipients and instructions are clear and no wider than needed"),
    "shielded": N_("It endangers no shielded person, or the guardian officer agrees"),
}
MISSING = N_("Tick off what you have checked; what you cannot tick is not to be signed.")


class Unchecked(Exception):
    """Something was not ticked off."""


def require_checks(form: Form) -> None:
    """Raise Unchecked, and note it at the form, when something was not ticked off."""
    if any(not form[PREFIX + name] for name in CHECKS):
        form.errors["checks"] = gettext(MISSING)
        raise Unchecked
