"""What a file is, whether it may come in, and how an image is made harmless. No models, no storage.

names       clean_name: a name that is safe on every disk, header and screen
formats     the allow-list: extensions, content types, signatures
rules       FileRules: what one process accepts (`[files]` in its definition), and the sentence that says so
inspection  inspect: reads a file and says what it is, or refuses it with a reason
images, archives, media    the closer look at one family of formats
pictures    reencode_image, make_thumbnail
"""

from .errors import RefusedFile
from .formats import FileKind
from .inspection import Inspected, inspect
from .names import clean_name
from .pictures import make_thumbnail, reencode_image
from .rules import FileRules

__all__ = [
    "FileKind",
    "FileRules",
    "Inspected",
    "RefusedFile",
    "clean_name",
    "inspect",
    "make_thumbnail",
    "reencode_image",
]
