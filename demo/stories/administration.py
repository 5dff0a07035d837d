"""S2 · Payments, invoices and debts; the department Administración."""

from demo.replay.script import (
    act,
    call,
    closing_review,
    follow_up,
    note,
    prepare,
    rate,
    reply,
    solve,
    whatsapp,
)
from demo.replay.story import Story
from tickets.enums import Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "pagos",
        by="cliente",
        filed="1d 11:45",
        title="El pago de la cuota 3 salió dos veces",
        text="El banco muestra dos cargos de la misma cuota, con un minuto de diferencia. Adjunto el comprobante.",
        files=("estado-de-cuenta.pdf",),
        steps=(
            prepare("1h 30m", to="rosa.urdaneta", severity=Severity.HIGH, difficulty=2),
            follow_up(
                "rosa.urdaneta", "Vimos los dos cargos. Pedimos al banco la reversión del segundo.", "2h"
            ),
        ),
    ),
    Story(
        PROCESS,
        "pagos",
        by="diana.cely",
        filed="10d 12:10",
        title="La factura salió a nombre de otra persona",
        text="Pedí la factura a nombre de mi empresa y salió a nombre de mi hermana.",
        steps=(
            prepare("3h", to="rosa.urdaneta", severity=Severity.MEDIUM, difficulty=1),
            follow_up("rosa.urdaneta", "Anulamos la factura. ¿Nos envías el RIF de la empresa?", "1d"),
            reply("J-40123456-7, Talleres Cely C.A.", "3h", files=("rif-talleres-cely.jpg",)),
            note(
                "rosa.urdaneta",
                "La anulación pasa por auditoría: una semana. @supervisor@demo.test lo sabe.",
                "1d",
            ),
        ),
    ),
    Story(
        PROCESS,
        "solvencia",
        by="maria.hernandez",
        filed="27d 09:05",
        title="Convenio de pago para el semestre",
        text="Quisiera dividir el saldo en cuatro cuotas. Trabajo y puedo pagar los días 5.",
        steps=(
            prepare("4h", to="rosa.urdaneta", severity=Severity.LOW, difficulty=2),
            call("rosa.urdaneta", "1d", text="Acordamos cuatro cuotas, la primera el 5."),
            whatsapp(
                "rosa.urdaneta", "https://wa.me/c/584245550199", "20m", "Le enviamos el convenio para firmar."
            ),
            note("rosa.urdaneta", "Captura de la conversación.", "5m", files=("whatsapp-convenio.jpg",)),
            solve("rosa.urdaneta", "El convenio quedó registrado: cuatro cuotas, los días 5.", "16h"),
            act(
                "rosa.urdaneta",
                "pedir_aprobacion",
                "30m",
                solution_done="Convenio firmado y cargado en tu cuenta.",
            ),
            act("requester", "aprobar", "2h"),
            *closing_review("beatriz.solano", "1h", "Tiene el convenio firmado."),
            rate(5, "15m", "La señora Rosa fue amabilísima 🙏"),
        ),
    ),
    Story(
        PROCESS,
        "pagos",
        by="ramon.acosta",
        filed="38d 14:00",
        title="Falta un pago de horas de instrucción",
        text="En la quincena no me pagaron las seis horas del simulador del día 12.",
        steps=(
            prepare("2h", to="rosa.urdaneta", severity=Severity.MEDIUM, difficulty=2),
            follow_up(
                "rosa.urdaneta", "La planilla llegó después del corte. Entra en la quincena próxima.", "20h"
            ),
            act(
                "rosa.urdaneta",
                "pedir_aprobacion",
                "4d",
                solution_done="Las seis horas se pagaron hoy con la segunda quincena.",
            ),
            act("requester", "aprobar", "1d 3h"),
            *closing_review("beatriz.solano", "2h", "Ve su pago en la cuenta."),
            rate(2, "1h", "Se resolvió, pero nadie me avisó del corte."),
        ),
    ),
    Story(
        PROCESS,
        "pagos",
        by="julian.torres",
        filed="5h",
        title="La plataforma me cobra mora y pagué a tiempo",
        text="Pagué el día 3 y el sistema muestra mora desde el día 5. Adjunto el comprobante.",
        files=("comprobante-dia-3.png",),
    ),
    Story(
        PROCESS,
        "alta-de-cuenta",
        by="estacionar",
        filed="2d 17:30",
        title="Alta de nuestros empleados en el curso de seguridad",
        text="Somos nueve personas. Enviamos la lista en PDF. ¿Cuándo quedarían inscritas?",
        files=("lista-de-empleados.pdf",),
    ),
)
