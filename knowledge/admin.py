"""Admin pages: sections to configure; articles and their history to read. Their pages are in the back office."""

from django.contrib import admin

from tickets.admin import ReadOnly

from .models import Article, ArticleFeedback, ArticleVersion, SearchMiss, Section, SynonymGroup


@admin.register(Section)
class SectionAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "position")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Article)
class ArticleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("slug", "section", "audience", "state", "owner", "review_on")
    list_filter = ("state", "audience", "section")
    list_select_related = ("section", "owner")
    search_fields = ("slug", "words")
    view_on_site = False  # drafts and procedures are not in the portal


@admin.register(ArticleVersion)
class ArticleVersionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "language", "number", "author", "at")
    list_filter = ("language",)
    list_select_related = ("author",)
    search_fields = ("title",)


@admin.register(ArticleFeedback)
class ArticleFeedbackAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("article", "is_useful", "missing", "comment", "at")
    list_filter = ("is_useful", "missing")
    list_select_related = ("article",)


@admin.register(SynonymGroup)
class SynonymGroupAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("words", "edited_by", "edited_at")
    list_select_related = ("edited_by",)


@admin.register(SearchMiss)
class SearchMissAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("query", "count", "last_at")
