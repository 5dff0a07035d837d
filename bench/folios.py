"""How long filing keeps the counter of folios locked, so that others who file must wait."""

import os
import time
from unittest.mock import patch

TIMES = 40


def seconds_held() -> dict[str, list[float]]:
    """File some reports in this process. Returns for each the seconds from asking for the number to the end of the
    commit (`held`), and those of the whole filing (`filing`)."""
    from django.db import connection

    from tickets.models import Process
    from tickets.workflow import intake

    process = Process.objects.get(key="solicitud-guiada")
    category = process.categories.get(key="asistencia-tecnica")
    marks: dict[str, float] = {}
    number, commit = intake.next_folio, connection.commit

    def timed_number() -> str:
        marks["asked"] = time.perf_counter()
        return number()

    def timed_commit() -> None:
        commit()
        marks.setdefault("committed", time.perf_counter())

    result: dict[str, list[float]] = {"held": [], "filing": []}
    with patch.object(intake, "next_folio", timed_number), patch.object(connection, "commit", timed_commit):
        for turn in range(TIMES):
            marks.clear()
            begun = time.perf_counter()
            intake.file_ticket(
                process,
                actor=None,
                title="No puedo abrir el documento",
                description="El documento compartido no abre desde ayer.",
                category=category,
                requester=intake.Requester(email=f"folio{os.getpid()}-{turn}@bench.test", name="Ana"),
            )
            result["filing"].append(time.perf_counter() - begun)
            result["held"].append(marks["committed"] - marks["asked"])
    return result
