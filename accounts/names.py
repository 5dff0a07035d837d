"""What people are called."""


def first_name(name: str) -> str:
    """The word for a greeting: the first of `name` that is no title («Cap. Ramón Acosta» is Ramón). May be empty."""
    words = name.split()
    return next((word for word in words if not word.endswith(".")), " ".join(words[:1]))
