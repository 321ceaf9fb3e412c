"""Registration's pages: the clerk's desk, who is registered where, one stay, a look-up."""
