"""Rows of the knowledge base. Only the verbs of `knowledge` write them."""

from .article import (
    Article,
    ArticleChange,
    ArticleRedirect,
    ArticleScope,
    ArticleText,
    ArticleVersion,
    ReviewRequest,
)
from .feedback import ArticleFeedback
from .file import ArticleFile
from .search import Posting, SearchMiss, Stem, SynonymGroup, SynonymKey, Word, WordPart
from .section import Section
from .suggestion import Deflection, ModelUse, ProposalUse, SolutionPattern

__all__ = [
    "Article",
    "ArticleChange",
    "ArticleFeedback",
    "ArticleFile",
    "ArticleRedirect",
    "ArticleScope",
    "ArticleText",
    "ArticleVersion",
    "Deflection",
    "ModelUse",
    "Posting",
    "ProposalUse",
    "ReviewRequest",
    "SearchMiss",
    "Section",
    "SolutionPattern",
    "Stem",
    "SynonymGroup",
    "SynonymKey",
    "Word",
    "WordPart",
]
