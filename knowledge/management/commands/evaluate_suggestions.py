"""Measure what is suggested before a report is filed, with questions whose answers are known (S3.20)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from knowledge.evaluation import BadLine, Report, evaluate, read_cases, wrong


class Command(BaseCommand):
    help = (
        'Print recall, abstention and times of the suggestions for the questions of FILE: one {"query": "…", '
        '"expected": ["address-of-an-article"]} a line, with [] or null where nothing should be suggested. '
        "Nothing is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="JSON lines, UTF-8; «-» reads the standard input")
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, default="es", help="the reader's language")
        parser.add_argument(
            "--guest", action="store_true", help="what somebody without an account is offered, not a customer"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = _lines(options["file"])
        try:
            cases = read_cases(lines)
        except BadLine as problem:
            raise CommandError(str(problem)) from None
        reader = None if options["guest"] else User()
        report = evaluate(cases, reader=reader, language=options["language"])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False))
        else:
            self._print(report)

    def _print(self, report: Report) -> None:
        for result in wrong(report):
            expected = ", ".join(result.case.keys) or "nothing"
            self.stdout.write(f"line {result.case.line}: «{result.case.query}»")
            self.stdout.write(f"    expected {expected}; found {', '.join(result.titles) or 'nothing'}")
        figures = report.as_dict()
        related = figures["queries"] - figures["unrelated"]
        self.stdout.write(f"recall@1    {_share(figures['recall@1'])}   of {related} questions")
        self.stdout.write(f"recall@3    {_share(figures['recall@3'])}")
        self.stdout.write(
            f"abstention  {_share(figures['abstention'])}   of {figures['unrelated']} unrelated"
        )
        self.stdout.write(
            f"seconds     {figures['seconds']:.3f}   each: median {figures['seconds_p50']:.4f}, "
            f"most {figures['seconds_max']:.4f}"
        )


def _lines(name: str) -> list[str]:
    try:
        text = Path("/dev/stdin" if name == "-" else name).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {name}: {error}") from None
    return text.splitlines()


def _share(value: float | None) -> str:
    return "   –  " if value is None else f"{value:6.1%}"
