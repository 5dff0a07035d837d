"""S0 · Faults of the parking app that are open: in progress, waiting or just filed."""

from demo.replay.script import act, ask_task, draft, note, reply
from demo.replay.story import Story
from tickets.enums import Severity

PROCESS = "incidencia-tecnica"
TEAM = "soporte-tecnico"

STORIES = (
    Story(
        PROCESS,
        "falla-en-el-pago",
        by="mateo.rios",
        filed="1d 19:20",
        title="Cobro duplicado al confirmar la reserva",
        text="Toqué «Confirmar», se quedó pensando, toqué otra vez y me cobró dos veces. Adjunto el extracto.",
        fields={"donde_ocurre": "iphone", "reserva": "RS-441720"},
        files=("extracto-del-banco.png",),
        steps=(
            act(
                "tecnico",
                "clasificar",
                "20m",
                severity=Severity.CRITICAL,
                department=TEAM,
                assignee="tecnico",
            ),
            act(
                "tecnico",
                "informar_avance",
                "15m",
                message="Ya vimos los dos cobros. Pedimos la devolución del segundo.",
            ),
            note(
                "tecnico",
                "El botón no se bloquea mientras espera. @ana.blanco@demo.test, ¿lo tapamos hoy?",
                "1h",
            ),
            note("ana.blanco", "Sí. Va en la revisión de las 17:00, junto con el reintento.", "30m"),
            act(
                "tecnico",
                "registrar_diagnostico",
                "20m",
                diagnostico="Dos toques envían dos órdenes con claves distintas: debe nacer con el formulario.",
            ),
            ask_task("tecnico", "desarrollo", "Bloquear «Pagar» mientras espera al banco", "10m"),
            draft("tecnico", "Mateo, la devolución ya salió. El banco la muestra", "2h"),
        ),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="jorge.cardenas",
        filed="2d 22h",
        title="El GPS ubica el estacionamiento a 400 metros",
        text="La app me lleva a la calle de atrás, donde no hay entrada. La dirección correcta es Carrera 13 #85-32.",
        fields={"donde_ocurre": "android"},
        steps=(
            act(
                "ana.blanco",
                "clasificar",
                "1h",
                severity=Severity.HIGH,
                department=TEAM,
                assignee="ana.blanco",
            ),
            act(
                "ana.blanco",
                "informar_avance",
                "2h",
                message="Corregimos el punto a mano; falta que lo tome el mapa.",
            ),
            act(
                "ana.blanco",
                "registrar_diagnostico",
                "1h",
                diagnostico="El proveedor de mapas tiene mal la nomenclatura.",
            ),
            act(
                "ana.blanco",
                "pedir_a_otro_equipo",
                "10m",
                equipo="proveedor",
                note="Reporte 88123 en su portal.",
            ),
        ),
    ),
    Story(
        PROCESS,
        "error-de-visualizacion",
        by="estacionar",
        filed="4d 21h",
        title="Error 502 al descargar el reporte mensual",
        text="Intenté con dos navegadores. El reporte de octubre sí se descarga; el de noviembre no.",
        fields={"donde_ocurre": "web"},
        files=("error-502.png",),
        steps=(
            act(
                "ana.blanco",
                "clasificar",
                "3h",
                severity=Severity.MEDIUM,
                department=TEAM,
                assignee="ana.blanco",
            ),
            act(
                "ana.blanco",
                "informar_avance",
                "5h",
                message="El reporte tarda más que antes. Lo pasamos a segundo plano.",
            ),
            act(
                "ana.blanco",
                "registrar_diagnostico",
                "1d",
                diagnostico="Consulta sin índice: 41 s con 90 000 reservas.",
            ),
        ),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="hernan.gil",
        filed="5d 10:40",
        title="La cámara de la entrada pierde conexión en las mañanas",
        text="Entre las 7 y las 8 la app muestra «Sin señal» y la talanquera no lee las placas.",
        fields={"donde_ocurre": "android"},
        steps=(
            act("tecnico", "clasificar", "30m", severity=Severity.HIGH, department=TEAM, assignee="tecnico"),
            act(
                "tecnico",
                "informar_avance",
                "1h",
                message="Revisamos los registros de la cámara de esta semana.",
            ),
            act(
                "tecnico",
                "pedir_informacion",
                "1d",
                message="Necesitamos el registro del módem entre las 6:50 y las 8:10.",
            ),
        ),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="lucia.fernandez",
        filed="3d 17:10",
        title="La talanquera 2 no abre con la app",
        text="Solo abre con el control. La 1 abre bien con la app.",
        fields={"donde_ocurre": "iphone"},
        steps=(
            act("tecnico", "clasificar", "40m", severity=Severity.HIGH, department=TEAM, assignee="tecnico"),
            act(
                "tecnico", "pedir_informacion", "1h", message="¿Qué número ves en la etiqueta gris del motor?"
            ),
            reply("TQ2-0091. Te mando la foto.", "3h", files=("etiqueta-del-motor.jpg",)),
            act(
                "tecnico",
                "registrar_diagnostico",
                "16h",
                diagnostico="La TQ2-0091 quedó con la clave del dueño anterior.",
            ),
            act(
                "tecnico",
                "resolver",
                "3h",
                solution_done="Borramos la clave anterior de la talanquera y la volvimos a enlazar con tu garaje.",
                solution_steps="Abre la app, entra a Mi garaje y toca «Probar» junto a Talanquera 2.",
            ),
        ),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="paola.rincon",
        filed="2d 09:25",
        title="El botón «Extender tiempo» no responde",
        text="En iPhone 13 con iOS 26. Lo toco y no pasa nada; tengo que cerrar la app y volver a entrar.",
        fields={"donde_ocurre": "iphone"},
        steps=(
            act("ana.blanco", "clasificar", "2h", severity=Severity.MEDIUM, department=TEAM),
            note("ana.blanco", "Lo dejo para el equipo: quien tenga un iPhone 13 a mano, que lo tome.", "5m"),
        ),
    ),
    Story(
        PROCESS,
        "problema-de-inicio-de-sesion",
        by="sara.nino@demo.test",
        name="Sara Niño",
        filed="52m",
        title="No llega el código de verificación: mi número es de otro país",
        text="Estoy en Colombia con un número de Chile. Pido el código y no llega nunca.",
        phone="+56 9 5555 0101",
        fields={"donde_ocurre": "iphone"},
    ),
    Story(
        PROCESS,
        "falla-en-el-pago",
        by="samuel.perez",
        filed="3h 10m",
        title="La reserva confirmada no aparece en el historial",
        text="El cobro sí está hecho. Me quedé sin comprobante para entrar.",
        fields={"donde_ocurre": "android", "reserva": "RS-441802"},
        files=("cobro-hecho.png",),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="camila.duarte",
        filed="1h 25m",
        title="No se genera el código QR de salida y hay una fila de carros esperando",
        text="El QR de salida sale en blanco para todos los que reservaron con la app. Calle 72, garaje El Roble.",
        fields={"donde_ocurre": "android"},
        steps=(
            act(
                "tecnico", "clasificar", "8m", severity=Severity.CRITICAL, department=TEAM, assignee="tecnico"
            ),
        ),
    ),
    Story(
        PROCESS,
        "problema-con-la-app",
        by="cliente",
        filed="5h 20m",
        title="La app de estacionamiento no reconoce mi tarjeta de la universidad",
        text="Antes entraba al estacionamiento del campus con la tarjeta y ahora dice «Usuario no registrado».",
        fields={"donde_ocurre": "android"},
        steps=(
            act("tecnico", "clasificar", "35m", severity=Severity.MEDIUM, department=TEAM, assignee="agente"),
            act(
                "agente",
                "informar_avance",
                "1h",
                message="Pedimos a Control de acceso la lista de tarjetas de este mes.",
            ),
        ),
    ),
)
