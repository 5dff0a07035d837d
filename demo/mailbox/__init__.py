"""Every mail that the demo sent, kept in a table and shown at /correo/: there is no mail server on a laptop."""
