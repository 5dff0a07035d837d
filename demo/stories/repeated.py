"""S2 · Five customers with the same problem who approved the same solution: it is offered to the next (S3.20)."""

from demo.replay.script import act, closing_review, prepare, rate
from demo.replay.story import Story
from tickets.enums import Severity

PROCESS, DONE, STEPS = (
    "soporte-con-aprobacion",
    "El aula no admite archivos tan pesados.",
    "Guarda la tarea como PDF.\nVuelve a subirla desde Tareas › Entregar.",
)


def _case(by: str, filed: str, title: str, text: str, *, takes: str, stars: int) -> Story:
    return Story(
        PROCESS,
        "plataforma",
        by=by,
        filed=filed,
        title=title,
        text=text,
        steps=(
            prepare("35m", to="ivan.lozada", severity=Severity.LOW, difficulty=1),
            act("ivan.lozada", "pedir_aprobacion", takes, solution_done=DONE, solution_steps=STEPS),
            act("requester", "aprobar", "2h"),
            *closing_review("beatriz.solano", "3h", "Entregó su tarea."),
            rate(stars, "1h"),
        ),
    )


STORIES = (
    _case(
        "diana.cely",
        "33d 09:05",
        "No puedo subir la tarea al aula",
        "La barra llega a la mitad y se detiene. La tarea tiene muchas fotos.",
        takes="2h",
        stars=5,
    ),
    _case(
        "julian.torres",
        "30d 15:20",
        "No puedo subir la tarea al aula de Motores",
        "Sale «error al subir» cuando elijo el archivo.",
        takes="1h",
        stars=4,
    ),
    _case(
        "maria.hernandez",
        "27d 11:45",
        "Ayuda, no puedo subir la tarea al aula",
        "El archivo queda en cero por ciento. Lo intenté en dos navegadores.",
        takes="3h",
        stars=5,
    ),
    _case(
        "cliente",
        "23d 08:30",
        "No puedo subir la tarea al aula desde el teléfono",
        "Elijo el archivo y la página vuelve al comienzo.",
        takes="50m",
        stars=5,
    ),
    _case(
        "isabel.guerra",
        "15d 16:10",
        "Mis alumnos dicen: no puedo subir la tarea al aula",
        "A varios se les detiene la barra al subir el archivo.",
        takes="4h",
        stars=4,
    ),
)
