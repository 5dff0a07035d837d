"""Names of people."""


def first_name(name: str) -> str:
    """Return the first word of `name` that is no title, for greetings: «Cap. Ramón Acosta» gives «Ramón».

    If all words end in a dot, as titles do, it is the first of them; empty for an empty name.
    """
    words = name.split()
    return next((word for word in words if not word.endswith(".")), " ".join(words[:1]))
