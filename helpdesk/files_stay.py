"""When no stored file may be deleted, by a task or by a command."""

from notifications.outgoing.holding import held_mail

from .backup import making


def why_files_stay() -> str:
    """Return why no file may be deleted now, as a sentence for operators; "" if files may be.

    A backup copies them, or this is a restored copy of which nobody has said yet what it is for. It may share its store
    with the original desk, whose newer files no row of the copy names.
    """
    if making.is_running():
        return "A backup is being made and needs the files. Try again when it has ended."
    if held_mail() is not None:
        return (
            "This is a restored copy, which may share its files with the original desk. Say first what it is for:"
            " manage.py release_mail, or «Salud»."
        )
    return ""
