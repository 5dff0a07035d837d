"""Frequent misspellings of the domains of mail providers."""

MISSPELT = {
    wrong: domain
    for domain, spellings in {
        "gmail.com": "gmial.com gmai.com gmal.com gamil.com gmil.com gnail.com gmaill.com gmail.con gmail.cm gmail.co "
        "gmail.om gmail.vom gmailc.om gmail.comm",
        "hotmail.com": "hotmial.com hotmai.com hotmal.com hotamil.com homail.com hotmil.com hotmail.con hotmail.cm "
        "hotmail.co hotmaill.com hotmail.om hormail.com",
        "outlook.com": "outlok.com outloock.com outlock.com outloo.com outlook.con outlook.cm outlook.co oulook.com",
        "yahoo.com": "yaho.com yahooo.com yhaoo.com yahoo.con yahoo.cm yaoo.com",
        "icloud.com": "iclod.com icoud.com icloud.con icloud.co iclud.com",
        "live.com": "live.con live.cm",
    }.items()
    for wrong in spellings.split()
}
"""The domain that was meant, by how it was spelt. Pages get it too (js/behaviours/address-hint.js)."""


def probable_address(email: str) -> str:
    """Return the address that was probably meant by `email`; empty if nothing is wrong with it.

    Only known misspellings count: guessing by likeness would call the addresses of small domains wrong.
    """
    local, _at, domain = email.rpartition("@")
    meant = MISSPELT.get(domain.lower(), "")
    return f"{local}@{meant}" if local and meant else ""
