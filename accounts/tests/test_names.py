import pytest

from accounts.names import first_name


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Valentina Ospina", "Valentina"),
        ("Cap. Ramón Acosta", "Ramón"),
        ("Sra. Dra. Inés", "Inés"),
        ("  Ana  ", "Ana"),
        ("Estacionar S.A.S.", "Estacionar"),
        ("J.", "J."),
        ("", ""),
    ],
)
def test_first_name_skips_titles(name, first):
    assert first_name(name) == first
