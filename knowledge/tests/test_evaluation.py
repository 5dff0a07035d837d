"""The command that measures suggestions: its figures, what it calls an article, and its complaints."""

import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from knowledge import articles
from knowledge.enums import Audience
from knowledge.models import SearchMiss
from knowledge.tests.factories import make_article, make_supervisor

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S3.20")]


@pytest.fixture(autouse=True)
def shelf():
    make_article("No puedo entrar a mi cuenta", body="Toca **Olvidé mi contraseña**.")
    make_article("Me cobraron dos veces", body="El banco devuelve el pago repetido.")
    make_article("Corregir una nota", audience=Audience.CUSTOMERS, body="Escribe al docente.")


def measured(tmp_path: Path, *lines: str, **options) -> str:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    out = io.StringIO()
    call_command("evaluate_suggestions", str(path), stdout=out, **options)
    return out.getvalue()


def case(query: str, *expected: str) -> str:
    return json.dumps({"query": query, "expected": list(expected)})


def test_figures_are_shares(tmp_path):
    lines = (
        case("no puedo entrar", "no-puedo-entrar-a-mi-cuenta"),
        case("me cobraron dos veces", "corregir-una-nota"),
        "",
        case("receta de ajiaco con guascas"),
        '{"query": "me cobraron dos veces", "expected": null}',
    )
    figures = json.loads(measured(tmp_path, *lines, json=True))

    assert {name: figures[name] for name in ("queries", "unrelated", "recall@1", "recall@3", "abstention")} == {
        "queries": 4, "unrelated": 2, "recall@1": 0.5, "recall@3": 0.5, "abstention": 0.5,
    }  # fmt: skip
    assert 0 < figures["seconds_p50"] <= figures["seconds_max"] <= figures["seconds"]
    text = measured(tmp_path, *lines)
    assert re.search(r"recall@1 +50.0%.*\nrecall@3 +50.0%\nabstention +50.0%.*\nseconds +[\d.]+ ", text)
    assert (
        "line 2: «me cobraron dos veces»\n    expected corregir-una-nota; found Me cobraron dos veces" in text
    )
    assert not SearchMiss.objects.exists()


def test_article_has_several_names(tmp_path):
    article = make_article("Cambiar el celular", body="Abre tu perfil.")
    articles.rename(article, actor=make_supervisor(), slug="otro-celular")
    names = (
        "otro-celular",
        "cambiar-el-celular",
        f"articulo-{article.pk}",
        "demo/articles/otro-celular.es.md",
    )
    figures = json.loads(measured(tmp_path, *(case("cambiar celular", name) for name in names), json=True))

    assert (figures["recall@1"], figures["abstention"]) == (1.0, None)


def test_guest_is_offered_less(tmp_path):
    line = case("corregir una nota del docente", "corregir-una-nota")

    assert json.loads(measured(tmp_path, line, json=True))["recall@1"] == 1.0
    assert json.loads(measured(tmp_path, line, json=True, guest=True))["recall@1"] == 0.0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "line 1: want an object"),
        ('{"expected": []}', 'line 1: "query" must be a text'),
        ('{"query": " "}', 'line 1: "query" must be a text'),
        ('{"query": "x", "expected": 3}', 'line 1: "expected" must be a list'),
        ('{"query": "x", "expected": [3]}', 'line 1: "expected" must be a list'),
        ('{"query": "x", "expected": ["no-hay"]}', "line 1: no published article is called no-hay"),
        ("", "the file has no questions"),
    ],
)
def test_bad_line_is_told(tmp_path, line, complaint):
    with pytest.raises(CommandError, match=re.escape(complaint)):
        measured(tmp_path, line)


def test_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot read"):
        call_command("evaluate_suggestions", str(tmp_path / "no-hay.jsonl"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CommandError, match="cannot read"):
        call_command("evaluate_suggestions", str(tmp_path / "bytes"))
