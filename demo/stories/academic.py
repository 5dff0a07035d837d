"""S2 · Papers and records; the department Académico."""

from demo.replay.script import (
    act,
    call,
    closing_review,
    folio_of,
    follow_up,
    from_now,
    note,
    prepare,
    rate,
    reply,
    tick,
)
from demo.replay.story import Story
from tickets.enums import ContactOutcome, Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "constancias",
        by="cliente",
        filed="9d 10:30",
        title="Constancia de notas para una beca",
        text="Necesito la constancia de notas certificada, con sello, para la beca de la Fundación Alas. La piden "
        "antes de fin de mes.",
        steps=(
            prepare("2h", to="carmen.zambrano", severity=Severity.MEDIUM, difficulty=2),
            follow_up(
                "carmen.zambrano",
                "Recibimos tu solicitud. La constancia está en firma del decanato.",
                "20h",
            ),
            reply("Gracias. ¿Puedo recogerla yo o la envían por correo?", "4h"),
            follow_up(
                "carmen.zambrano",
                "Las dos cosas: te llega el PDF y el original queda en la taquilla 3.",
                "18h",
            ),
        ),
    ),
    Story(
        PROCESS,
        "constancias",
        by="julian.torres",
        filed="20d 11:00",
        title="Equivalencia de Física II de otra universidad",
        text="Vengo de la Universidad del Zulia y cursé Física II con 18 puntos. Adjunto el programa y las notas.",
        files=("programa-fisica-ii.pdf", "notas-certificadas.pdf"),
        steps=(
            prepare("5h", to="carmen.zambrano", severity=Severity.LOW, difficulty=4),
            note(
                "carmen.zambrano", "Va al comité del jueves. Falta el contenido programático sellado.", "18h"
            ),
            follow_up(
                "carmen.zambrano", "El comité revisa tu caso el jueves. Te avisamos al día siguiente.", "1d"
            ),
            follow_up(
                "carmen.zambrano", "El comité pidió una semana más para comparar los laboratorios.", "7d"
            ),
        ),
    ),
    Story(
        PROCESS,
        "constancias",
        by="diana.cely",
        filed="52d 15:15",
        title="Corrección de cédula en el expediente",
        text="En mi expediente la cédula termina en 71 y es 17.",
        files=("cedula-escaneada.jpg",),
        steps=(
            prepare("3h", to="agente", severity=Severity.MEDIUM, difficulty=1),
            act(
                "agente",
                "pedir_aprobacion",
                "18h",
                solution_done="Corregimos tu número de cédula en el expediente, la ficha y el carné digital.",
                solution_steps="Cierra sesión y vuelve a entrar para ver el carné nuevo.",
            ),
            act("requester", "aprobar", "6h"),
            *closing_review("beatriz.solano", "1h", "Su cédula aparece bien."),
            rate(5, "20m", "Rápido y claro."),
        ),
    ),
    Story(
        PROCESS,
        "constancias",
        by="maria.hernandez",
        filed="8d 16:45",
        title="Solicitud de carta de culminación",
        text="Terminé la carga académica en octubre. Necesito la carta para la pasantía que empieza en enero.",
        steps=(
            prepare("3h", to="carmen.zambrano", severity=Severity.MEDIUM, difficulty=2),
            follow_up(
                "carmen.zambrano", "Falta la solvencia de biblioteca. ¿La puedes adjuntar aquí?", "19h"
            ),
            reply("Aquí está.", "20h", files=("solvencia-biblioteca.pdf",)),
            act(
                "carmen.zambrano",
                "pedir_aprobacion",
                "4d",
                solution_done="Tu carta de culminación está firmada. Va adjunta en tu expediente digital.",
                solution_steps="El original se retira en la taquilla 3, de 8:00 a 12:00.",
            ),
            act("requester", "aprobar", "1d 2h"),
            tick("beatriz.solano", "respuesta", "2h"),
        ),
    ),
    Story(
        PROCESS,
        "notas",
        by="julian.torres",
        filed="5d 09:25",
        title="No me aparece inscrita Legislación Aeronáutica",
        text="Pagué la inscripción el lunes y la materia no sale en mi horario.",
        steps=(
            prepare("2h", to="agente", severity=Severity.HIGH, difficulty=2, due_at=from_now("5h")),
            follow_up(
                "agente",
                "Encontramos tu pago. Falta que la coordinación abra un cupo en la sección 2.",
                "1h 30m",
            ),
            note("agente", "Llamé a la coordinación: el cupo se abre hoy por la tarde.", "2d"),
        ),
    ),
    Story(
        PROCESS,
        "notas",
        by="julian.torres",
        filed="5d 10:02",
        title="Legislación Aeronáutica: sigo sin verla inscrita",
        text="Repito porque no sé si llegó mi solicitud anterior. No veo la materia.",
        steps=(
            prepare("2h 10m", to="agente", severity=Severity.HIGH, difficulty=1),
            note("agente", "Es el mismo caso que el de las 9:25. Se atiende en el primero.", "20m"),
            act(
                "agente", "cancelar", "15m", duplicate_of=folio_of("No me aparece inscrita"), mismo_caso=True
            ),
        ),
    ),
    Story(
        PROCESS,
        "notas",
        by="isabel.guerra",
        filed="1d 10:15",
        title="Cambio de aula para la evaluación del viernes",
        text="El laboratorio 2 tiene la mitad de las máquinas apagadas. ¿Podemos pasar la evaluación al 4?",
    ),
    Story(
        PROCESS,
        "notas",
        by="inactivo",
        filed="3d 08:50",
        title="Quiero ver mis notas del periodo pasado",
        text="No puedo abrir el récord académico. Dice «Acceso restringido».",
        steps=(
            prepare("3h", to="carmen.zambrano", severity=Severity.LOW, difficulty=1),
            call("carmen.zambrano", "2h", ContactOutcome.FAILED, "El teléfono está apagado."),
            act("carmen.zambrano", "responder_inactivo", "15m", due_at=from_now("6d")),
        ),
    ),
)
