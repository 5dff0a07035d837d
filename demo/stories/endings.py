"""S2 · Tickets that end in an unusual way: without a solution, as a wrong ticket, as a test, closed by the department
Atención al usuario, or with a call after the approval."""

from demo.replay.script import (
    act,
    call,
    closing_review,
    follow_up,
    note,
    prepare,
    rate,
    respond,
    tick,
    whatsapp,
)
from demo.replay.story import Story
from tickets.enums import ContactOutcome, Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "cambio-de-horario",
        by="diana.cely",
        filed="19d 09:40",
        title="Cambiar la sección de la noche a la mañana",
        text="Cambié de trabajo y ya no puedo ir de noche. ¿Me pueden pasar a la sección de la mañana?",
        steps=(
            prepare("2h", to="luis.marquez", severity=Severity.LOW, difficulty=1),
            note("luis.marquez", "La inscripción cerró el día 30; el reglamento no admite el cambio.", "3h"),
            act("luis.marquez", "cerrar_sin_solucion", "40m"),
        ),
    ),
    Story(
        PROCESS,
        "constancias",
        by="maria.hernandez",
        filed="16d 10:20",
        title="La plataforma no me muestra la nota del laboratorio",
        text="En la constancia falta la nota del laboratorio de Electrónica.",
        steps=(
            prepare("1h 30m", to="agente", severity=Severity.MEDIUM, difficulty=1),
            respond("agente", "R3", "2h"),
            call(
                "agente", "20h", ContactOutcome.SUCCESSFUL, "Es un problema con la nota, no una constancia."
            ),
            act("agente", "ticket_equivocado", "10m", call_outcome="successful"),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="isabel.guerra",
        filed="11d 15:00",
        title="PRUEBA: por favor, no atender",
        text="Ticket de prueba del equipo de producción después de la actualización del martes.",
        steps=(act("supervisor", "cerrar_prueba", "30m"),),
    ),
    Story(
        PROCESS,
        "solvencia",
        by="julian.torres",
        filed="15d 08:15",
        title="Solvencia para inscribir el último semestre",
        text="El sistema no me deja inscribir porque dice que debo la cuota 4. La pagué el mes pasado.",
        files=("recibo-cuota-4.pdf",),
        steps=(
            prepare("1h", to="rosa.urdaneta", severity=Severity.HIGH, difficulty=2),
            follow_up("rosa.urdaneta", "Encontramos el pago: estaba a nombre de tu representante.", "1h"),
            act(
                "rosa.urdaneta",
                "pedir_aprobacion",
                "1d",
                solution_done="Pasamos el pago a tu cuenta y emitimos la solvencia. Ya puedes inscribir.",
            ),
            tick("beatriz.solano", "respuesta", "1d 2h"),
            call("beatriz.solano", "10m", text="Confirma que pudo inscribir las cuatro materias."),
            tick("beatriz.solano", "llamada", "2m"),
            whatsapp(
                "beatriz.solano", "https://wa.me/c/584165550123", "15m", "Envió captura de la inscripción."
            ),
            note("beatriz.solano", "Captura de la conversación.", "3m", files=("whatsapp-inscripcion.jpg",)),
            tick("beatriz.solano", "whatsapp", "2m"),
            act("beatriz.solano", "cerrar", "5m"),
            rate(5, "4h", "Me llamaron para asegurarse. Muy bien."),
        ),
    ),
    Story(
        PROCESS,
        "acceso",
        by="cliente",
        filed="47d 19:30",
        title="No recibo el código para entrar",
        text="Pido el código y no llega, ni al correo principal ni a la carpeta de no deseados.",
        steps=(
            prepare("20m", to="tecnico", severity=Severity.HIGH, difficulty=1),
            respond("tecnico", "R3", "15m"),
            act(
                "tecnico",
                "pedir_aprobacion",
                "1h",
                solution_done="Tu dirección tenía una letra de más en el expediente. La corregimos.",
                solution_steps="Pide un código nuevo: llega en menos de un minuto.",
            ),
            act("requester", "aprobar", "12m"),
            *closing_review("beatriz.solano", "2h", "No contesta. Buzón de voz.", reached=False),
            act("tecnico", "llamar", "1d", call_outcome="successful", note="Agradece la rapidez."),
            rate(5, "10m", "Llegó el código y me llamaron al día siguiente 👏"),
        ),
    ),
)
