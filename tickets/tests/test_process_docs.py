"""docs/processes.md is the only description of the format, so it must name everything that a file may contain."""

import inspect
import re
from pathlib import Path

import pytest
from django.conf import settings

from tickets.definitions import parser
from tickets.definitions.conditions import CONDITIONS
from tickets.definitions.loading import library
from tickets.definitions.parser import FIELD_TYPES, FILE_KINDS, RESPONSE_KINDS, STYLES
from tickets.definitions.reader import WHO_ALONE, WHO_NAMED
from tickets.definitions.responses import VARIABLES
from tickets.enums import CaseKind, Severity, StageKind, Template
from tickets.vocabulary import TRIGGERS
from tickets.workflow.asks import STANDARD_ASKS
from tickets.workflow.effects import EFFECTS
from tickets.workflow.guards import GUARDS

TEXT = (Path(settings.BASE_DIR) / "docs" / "processes.md").read_text("utf-8")
CODE = set(re.findall(r"`\"?([^`\s:\"]+)", TEXT)) | set(re.findall(r"`\[+(\w+)", TEXT))
KEYS = set(
    re.findall(
        r"\.(?:string|text|boolean|integer|number|strings|table|tables|items|lists|who|whos|choice|calls|targets?)"
        r'\(\s*"(\w+)"',
        inspect.getsource(parser),
    )
)
TOLD = {
    "keys": KEYS | {"key", "when"},
    "stage kinds": set(StageKind.values),
    "asks": set(STANDARD_ASKS),
    "guards": set(GUARDS),
    "effects": set(EFFECTS),
    "conditions": set(CONDITIONS),
    "triggers": set(TRIGGERS),
    "mails": set(Template.values),
    "types of field": set(FIELD_TYPES),
    "kinds of file": set(FILE_KINDS),
    "styles": set(STYLES),
    "kinds of answer": set(RESPONSE_KINDS),
    "people": {*WHO_ALONE, *WHO_NAMED},
    "severities": {*Severity.values, *CaseKind.values},
    "variables": {f"{{{name}}}" for name in VARIABLES},
}


@pytest.mark.parametrize("what", TOLD)
def test_every_word_of_the_format_is_documented(what):
    assert TOLD[what] - CODE == set()


def test_parser_keys_are_found_in_its_source():
    assert {
        "format",
        "login",
        "shown_when",
        "asks",
        "notify",
        "checklist",
        "first_response",
        "while_empty",
    } <= KEYS


@pytest.mark.parametrize("kind", StageKind)
def test_table_of_stage_kinds_matches_the_code(kind):
    clock = {"runs": "corre", "pauses": "se detiene", "stops": "termina"}[kind.meta.clock]
    row = f"| `{kind.value}` | {kind.meta.public_state.label} | {clock} | {kind.meta.progress} |"
    assert row in TEXT


def test_every_word_of_the_format_is_used():
    """A name that no library file and no test uses would be documented but never checked."""
    tests = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("[st]*_*.*")))
    said = "".join(library().values()) + tests
    names = {
        *GUARDS,
        *EFFECTS,
        *CONDITIONS,
        *STANDARD_ASKS,
        *FIELD_TYPES,
        *FILE_KINDS,
        *STYLES,
        *WHO_ALONE,
        *WHO_NAMED,
    }
    names |= KEYS | set(TRIGGERS)
    assert {name for name in names if name not in said} == set()
