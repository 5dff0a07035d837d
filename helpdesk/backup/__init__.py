"""Back up and restore an installation: the rows of the database and the files that they name, consistent with each
other (docs/decisions/0028-a-backup-is-a-folder.md).

`making` writes a backup, `checking` verifies one, `restoring` puts one into an installation.
"""
