"""S2 · Solved tickets whose closing was approved. Some of today are like them and have a proposal."""

from demo.replay.script import act, closing_review, follow_up, prepare, rate
from demo.replay.story import Story
from tickets.enums import Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "plataforma",
        by="maria.hernandez",
        filed="34d 10:20",
        title="El aula virtual me saca cada diez minutos",
        text="Estoy escribiendo en el foro y el aula vuelve a pedirme la clave. Pierdo lo que llevo escrito.",
        steps=(
            prepare("40m", to="tecnico", severity=Severity.MEDIUM, difficulty=2),
            follow_up("tecnico", "Lo estamos viendo: la sesión se cierra antes de tiempo.", "1h"),
            act(
                "tecnico",
                "pedir_aprobacion",
                "5h",
                solution_done="Ampliamos a dos horas el tiempo de la sesión en el aula virtual.",
                solution_steps="Cierra todas las ventanas del aula.\n"
                "Vuelve a entrar con la casilla «Mantener la sesión» marcada.\n"
                "Guarda cada avance antes de cambiar de página.",
            ),
            act("requester", "aprobar", "3h"),
            *closing_review("beatriz.solano", "2h", "Terminó su entrega sin que la sesión se cerrara."),
            rate(5, "20m"),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="julian.torres",
        filed="25d 14:10",
        title="El aula virtual me saca en plena entrega",
        text="Cada cinco minutos vuelve a pedirme la clave y no puedo subir el trabajo.",
        steps=(
            prepare("30m", to="tecnico", severity=Severity.MEDIUM, difficulty=2),
            act(
                "tecnico",
                "pedir_aprobacion",
                "2h",
                solution_done="Tu navegador borraba la sesión al cambiar de pestaña. Quitamos esa regla del aula.",
                solution_steps="Entra otra vez al aula con la casilla «Mantener la sesión» marcada.",
            ),
            act("requester", "aprobar", "50m"),
            *closing_review("beatriz.solano", "3h", "Subió el trabajo a tiempo."),
            rate(5, "2h", "Pude entregar."),
        ),
    ),
    Story(
        PROCESS,
        "solvencia",
        by="diana.cely",
        filed="28d 09:15",
        title="La plataforma me cobra mora aunque pagué a tiempo",
        text="El comprobante es del día 4 y el estado de cuenta muestra mora desde el día 5.",
        steps=(
            prepare("1h", to="rosa.urdaneta", severity=Severity.HIGH, difficulty=1),
            act(
                "rosa.urdaneta",
                "pedir_aprobacion",
                "4h",
                solution_done="Registramos el pago con la fecha del banco y quitamos la mora.",
                solution_steps="Entra a Pagos › Estado de cuenta.\nComprueba que la mora quedó en cero.",
            ),
            act("requester", "aprobar", "1h"),
            *closing_review("beatriz.solano", "2h", "Ya ve la mora en cero."),
            rate(4, "1d"),
        ),
    ),
    Story(
        PROCESS,
        "acceso",
        by="cliente",
        filed="21d 11:40",
        title="No llega el código de verificación a un número de otro país",
        text="Estoy de viaje con un número del exterior. Pido el código y no llega.",
        steps=(
            prepare("25m", to="ivan.lozada", severity=Severity.MEDIUM, difficulty=2),
            act(
                "ivan.lozada",
                "pedir_aprobacion",
                "2h",
                solution_done="El operador del exterior bloqueaba el mensaje. El código también sale por correo.",
                solution_steps="En la pantalla del código toca «Enviar a mi correo».\n"
                "Escribe el código antes de diez minutos.",
            ),
            act("requester", "aprobar", "30m"),
            *closing_review("beatriz.solano", "4h", "Entró con el código del correo."),
            rate(5, "10m", "Resuelto en el aeropuerto ✈️"),
        ),
    ),
)
