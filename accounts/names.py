"""Names of people."""


def first_name(name: str) -> str:
    """Return the first word of `name` that does not end in a dot, for greetings: «Cap. Ramón Acosta» gives «Ramón».

    Titles end in a dot. If every word does, return the first word; for an empty name, return "".
    """
    words = name.split()
    return next((word for word in words if not word.endswith(".")), " ".join(words[:1]))
