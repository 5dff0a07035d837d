"""Targets as plain data: what a policy stores and a form sends, with an error for each mistake."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from content.errors import InvalidData

from ..calendars import Target
from ..enums import CaseKind, ClockKind, Severity
from .definition import SpecialTargets, Targets

NAMES = (*Severity.values, *CaseKind.values)
MOST_SPECIAL = 50


def as_json(targets: Targets) -> dict[str, Any]:
    """Return the targets as plain data; `read_targets` gives them back."""
    return {
        "calendar": targets.calendar,
        **{
            kind: {name: target.text for name, target in getattr(targets, kind).items()}
            for kind in ClockKind.values
        },
        "special": [
            {
                "category": special.category,
                "customer_kind": special.customer_kind,
                **{kind: target.text for kind in ClockKind.values if (target := getattr(special, kind))},
            }
            for special in targets.special
        ],
        "warn_assignee": targets.warn_assignee,
        "warn_managers": targets.warn_managers,
    }


def read_targets(data: Mapping[str, Any]) -> Targets:
    """Return the targets that `as_json` wrote or a person typed. Raises `InvalidData` with the path of each mistake,
    such as `resolution.critical` or `special.0.category`."""
    errors: dict[str, list[str]] = {}

    def read(text: Any, path: str) -> Target | None:
        target = Target.parse(text) if isinstance(text, str) else None
        if target is None:
            errors.setdefault(path, []).append(_("Escribe un plazo como 8 horas o 5 días hábiles."))
        return target

    found: dict[str, dict[str, Target]] = {}
    for kind in ClockKind.values:
        rows = data.get(kind) or {}
        read_rows = {name: read(rows[name], f"{kind}.{name}") for name in NAMES if name in rows}
        found[kind] = {name: target for name, target in read_rows.items() if target}
    special = []
    for number, row in enumerate((data.get("special") or [])[:MOST_SPECIAL]):
        path = f"special.{number}"
        own = {kind: read(row[kind], f"{path}.{kind}") for kind in ClockKind.values if row.get(kind)}
        if not row.get("category") and not row.get("customer_kind"):
            errors.setdefault(f"{path}.category", []).append(_("Elige una categoría o un tipo de cliente."))
        if not own:
            errors.setdefault(f"{path}.category", []).append(_("Escribe al menos un plazo."))
        special.append(SpecialTargets(row.get("category") or "", row.get("customer_kind") or "", **own))
    targets = Targets(
        calendar=str(data.get("calendar") or ""),
        special=tuple(special),
        warn_assignee=_percent(data, "warn_assignee", errors),
        warn_managers=_percent(data, "warn_managers", errors),
        **found,
    )
    if not targets.calendar and any(target.needs_calendar for target in targets.all):
        errors.setdefault("calendar", []).append(
            _("Elige el calendario que cuenta las horas y los días hábiles.")
        )
    if errors:
        raise InvalidData(errors)
    return targets


def _percent(data: Mapping[str, Any], key: str, errors: dict[str, list[str]]) -> int:
    """Return a percentage from 0 to 99. Data without one, of an earlier version, has the usual one."""
    value = data.get(key)
    usual: int = getattr(Targets, key)
    if value is None:
        return usual
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 99:
        errors.setdefault(key, []).append(_("Escribe un porcentaje de 0 a 99."))
        return usual
    return value
