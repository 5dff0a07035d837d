"""Identify uploaded files, refuse unsafe ones and re-encode images. This package has no models and stores nothing.

names       clean_name: makes a file name safe for disks, headers and pages
formats     the allow-list: extensions, content types, signatures
rules       FileRules: the files that one process accepts (`[files]` in its definition), also as a sentence
inspection  inspect: identifies a file, or refuses it with a reason
images, archives, office, ole, pdf, media    checks for each family of formats
pictures    reencode_image, make_thumbnail: check a picture and start `decoder`, which has limits on memory and time
slots       how many processes of one kind run at the same time
malware     scan: asks ClamAV
lost        LostUpload: a file that could not be received
"""

from .errors import NotStored, RefusedFile
from .formats import FileKind
from .inspection import Inspected, inspect
from .names import clean_name
from .pictures import make_thumbnail, reencode_image
from .rules import FileRules

__all__ = [
    "FileKind",
    "FileRules",
    "Inspected",
    "NotStored",
    "RefusedFile",
    "clean_name",
    "inspect",
    "make_thumbnail",
    "reencode_image",
]
