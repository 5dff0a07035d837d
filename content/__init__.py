"""What people write and bring, made safe: text, files, form fields, folded search columns, keyset pages, hashed tokens.

Imports no other package of ours, so that every domain app can use it.
"""
