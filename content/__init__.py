"""Make safe what people write and upload: text, files and form fields. Also search columns, keyset pages and tokens.

Imports no other package of this project, so that every domain app can use it.
"""
