"""S2 · Flight practice and its schedules; the department Coordinación de Ciencias Aeronáuticas (CCA)."""

from demo.replay.script import act, change, closing_review, follow_up, note, prepare, rate, reply
from demo.replay.story import Story
from tickets.enums import Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "cambio-de-horario",
        by="diana.cely",
        filed="6d 08:20",
        title="Cambio de horario de la práctica de vuelo",
        text="Tengo práctica el martes a las 6:00 y ese día presento el médico. ¿La puedo pasar al jueves?",
        steps=(
            prepare("2h", to="luis.marquez", severity=Severity.MEDIUM, difficulty=2),
            follow_up("luis.marquez", "El jueves está lleno. Te ofrezco el sábado a las 7:00.", "4h"),
            reply("El sábado me sirve.", "3h"),
            act(
                "luis.marquez",
                "pedir_aprobacion",
                "18h",
                solution_done="Tu práctica pasó al sábado a las 7:00, en la aeronave YV-312.",
            ),
            act(
                "requester",
                "rechazar",
                "5h",
                message="Me llegó el recordatorio y sigue diciendo martes a las 6:00.",
            ),
            note("luis.marquez", "El cambio no quedó guardado en el sistema de despacho. Lo reviso.", "2h"),
            change("luis.marquez", "1h", severity=Severity.HIGH),
        ),
    ),
    Story(
        PROCESS,
        "horas-de-vuelo",
        by="cliente",
        filed="35d 10:10",
        title="No aparecen mis horas de vuelo de septiembre",
        text="Volé 4,2 horas entre el 11 y el 20 y la bitácora digital muestra 1,8.",
        steps=(
            prepare("1h 30m", to="luis.marquez", severity=Severity.MEDIUM, difficulty=3),
            follow_up("luis.marquez", "Estamos cotejando la bitácora con el plan de vuelo.", "20h"),
            act(
                "luis.marquez",
                "pedir_aprobacion",
                "2d",
                solution_done="Dos vuelos estaban a nombre de otra estudiante. Ya están en tu bitácora: suman 4,2 h.",
            ),
            act("requester", "aprobar", "8h"),
            *closing_review("beatriz.solano", "1h", "Las horas cuadran con su bitácora."),
            rate(5, "5m", "Perfecto, ya cuadran."),
        ),
    ),
    Story(
        PROCESS,
        "horas-de-vuelo",
        by="john.smith",
        filed="14d 13:30",
        title="Medical certificate rejected by the booking page",
        text="The page says my class 2 medical expired, but it is valid until March.",
        files=("medical-certificate.pdf",),
        steps=(
            prepare("3h", to="ivan.lozada", severity=Severity.HIGH, difficulty=2),
            follow_up(
                "ivan.lozada", "Thank you, John. We asked the medical office to load the new date.", "45m"
            ),
            act(
                "ivan.lozada",
                "pedir_aprobacion",
                "1d",
                solution_done="The new expiry date is loaded and you can book flights again.",
            ),
            act("requester", "aprobar", "5h"),
            *closing_review("beatriz.solano", "1h", "She could book her flight."),
            rate(4, "1h"),
        ),
    ),
    Story(
        PROCESS,
        "horas-de-vuelo",
        by="ramon.acosta",
        filed="3h 15m",
        title="El simulador 2 pierde el audio de la torre",
        text="Desde esta mañana se oye entrecortado. Hay prácticas hasta las 18:00.",
        steps=(prepare("20m", to="ivan.lozada", severity=Severity.CRITICAL, difficulty=3, queue_position=2),),
    ),
    Story(
        PROCESS,
        "cambio-de-horario",
        by="maria.hernandez",
        filed="13d 11:35",
        title="Reprogramar el chequeo de instrumentos",
        text="El instructor me dijo que el chequeo pasa al mes que viene, pero el sistema lo muestra vencido.",
        steps=(
            prepare("1d", to="luis.marquez", severity=Severity.MEDIUM, difficulty=2),
            follow_up(
                "luis.marquez", "Pedimos a la autoridad la fecha nueva. Sin ella no podemos moverlo.", "2d"
            ),
            follow_up("luis.marquez", "Seguimos esperando respuesta. Es el único paso que falta.", "5d"),
        ),
    ),
)
