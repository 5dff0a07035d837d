import pytest
from django.core.exceptions import ValidationError

from accounts.validators import validate_address


@pytest.mark.parametrize(
    "address", ["ana@example.com", "ana.ruiz+mesa@España.es", '"ana"@example.com', "a@xn--espaa-rta.es"]
)
def test_ordinary_addresses_are_valid(address):
    validate_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "ana@exa\u200bmple.com",
        "ana@exa\ufe0fmple.com",
        "ana@exa\u00admple.com",
        "ana@\uff45xample.com",
        "ana@exa\u202emple.com",
        "ana@" + "é" * 63 + ".com",
        '"\x01\x1b"@example.com',
        "ana@localhost",
        "ana@[127.0.0.1]",
        "ana@[IPv6:::1]",
    ],
)
def test_local_and_look_alike_addresses_are_refused(address):
    with pytest.raises(ValidationError):
        validate_address(address)
