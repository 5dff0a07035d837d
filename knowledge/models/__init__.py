"""Rows of the knowledge base. Only the verbs of `knowledge` write them."""

from .article import Article, ArticleChange, ArticleRedirect, ArticleScope, ArticleText, ArticleVersion
from .feedback import ArticleFeedback
from .file import ArticleFile
from .search import Posting, SearchMiss, Stem, SynonymGroup, SynonymKey, Word, WordPart
from .section import Section

__all__ = [
    "Article",
    "ArticleChange",
    "ArticleFeedback",
    "ArticleFile",
    "ArticleRedirect",
    "ArticleScope",
    "ArticleText",
    "ArticleVersion",
    "Posting",
    "SearchMiss",
    "Section",
    "Stem",
    "SynonymGroup",
    "SynonymKey",
    "Word",
    "WordPart",
]
