"""The lists of words that tell little."""

from content.empty_words import COMMON, FILLERS, PLEASANTRIES
from content.text import fold


def test_each_word_stands_in_one_list_and_is_folded():
    assert len(COMMON | PLEASANTRIES | FILLERS) == len(COMMON) + len(PLEASANTRIES) + len(FILLERS)
    assert all(word == fold(word) for word in COMMON | PLEASANTRIES | FILLERS)
