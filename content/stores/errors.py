"""The error of a store that does not work."""


class StoreUnavailable(OSError):
    """The store cannot do what was asked, whatever the file: it is full, read-only, absent, mute or refuses our key."""
