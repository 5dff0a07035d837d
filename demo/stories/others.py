"""S1, S3 and S4 · Repairs of devices, requests to developers, and incidents that employees report."""

from demo.replay.script import act, follow_up, note, rate, reply, solve
from demo.replay.story import Story
from tickets.enums import Channel

REPAIR, REQUEST, INCIDENT = "reparacion-de-dispositivo", "solicitud-guiada", "reporte-de-incidentes"

STORIES = (
    Story(
        REPAIR,
        "dispositivo",
        by="camila.duarte",
        filed="1d 12:30",
        title="La pantalla del teléfono no enciende",
        text="Vibra y suena, pero la pantalla queda negra desde que se cayó el sábado.",
        fields={"marca": "Motorola", "modelo": "Moto G54", "numero_de_serie": "356938035643809"},
        files=("pantalla-negra.jpg",),
    ),
    Story(
        REPAIR,
        "dispositivo",
        by="isabel.guerra",
        filed="4d 09:00",
        title="La tableta de clase no carga",
        text="La dejé toda la noche conectada y sigue en 3 %. Con otro cargador pasa igual.",
        fields={"marca": "Samsung", "modelo": "Galaxy Tab A9"},
        steps=(
            act(
                "nelson.pineda",
                "validar",
                "3h",
                trabajo="averia",
                assignee="marisela.duque",
                en_garantia=True,
            ),
            act(
                "marisela.duque",
                "pedir_informacion",
                "1d",
                message="¿Tienes la factura? La garantía la pide.",
            ),
        ),
    ),
    Story(
        REPAIR,
        "dispositivo",
        by="lucia.fernandez",
        filed="29d 10:10",
        title="El teléfono de la portería se apaga solo",
        text="Se apaga con 40 % de batería, dos o tres veces al día.",
        fields={"marca": "Xiaomi", "modelo": "Redmi 12"},
        steps=(
            act("nelson.pineda", "validar", "2h", trabajo="reparacion", assignee="marisela.duque"),
            follow_up("marisela.duque", "Probamos la batería: está al 61 %. La cambiamos mañana.", "1d"),
            act(
                "marisela.duque",
                "finalizar",
                "2d",
                solution_done="Cambiamos la batería y probamos el teléfono dos días sin apagones.",
                solution_steps="Cárgalo por completo antes de usarlo.",
            ),
        ),
    ),
    Story(
        REQUEST,
        "reporte-de-bug",
        by="estacionar",
        filed="6h",
        title="La integración envía las facturas con la fecha del día anterior",
        text="Desde el domingo, las facturas después de las 20:00 llegan con la fecha de ayer.",
        fields={"direccion": "https://api.estacionar.demo.test/facturas"},
    ),
    Story(
        REQUEST,
        "asistencia-tecnica",
        by="irene.paz@demo.test",
        name="Irene Paz",
        filed="2d 14:05",
        title="¿Cómo cambio el logo de los comprobantes?",
        text="Subí el logo nuevo pero los comprobantes siguen con el viejo.",
        steps=(
            follow_up(
                "pedro.vielma", "Los comprobantes lo toman de Ajustes › Facturación. ¿Lo ves ahí?", "2h"
            ),
            reply("Sí, ahí también está el viejo.", "1h"),
        ),
    ),
    Story(
        REQUEST,
        "solicitud-de-plugin",
        by="hernan.gil",
        filed="36d 09:30",
        title="Exportar las reservas a Excel cada lunes",
        text="Necesito un archivo con las reservas de la semana, los lunes a primera hora.",
        steps=(
            act("pedro.vielma", "empezar", "5h"),
            follow_up("pedro.vielma", "Lo tenemos casi listo: llega por correo los lunes a las 6:00.", "6d"),
            solve(
                "pedro.vielma",
                "La exportación semanal está activa.",
                "2d",
                steps="Revisa tu correo el lunes a las 6:00.",
            ),
            rate(4, "7d", "Llegó puntual."),
        ),
    ),
    Story(
        INCIDENT,
        "incidente",
        by="ramon.acosta",
        filed="20h",
        title="El sistema de despacho duplica los planes de vuelo",
        text="Al guardar un plan aparecen dos con el mismo número.",
        fields={
            "tipo": "error",
            "sistema": "Despacho",
            "pasos": "1. Crear un plan.\n2. Guardar.\n3. Volver a la lista.",
            "prioridad": "high",
        },
    ),
    Story(
        INCIDENT,
        "incidente",
        by="isabel.guerra",
        filed="7d 10:50",
        title="Filtro por aula en la lista de asistencia",
        text="Con seis grupos sería más rápido filtrar por aula que buscar por nombre.",
        fields={"tipo": "mejora", "sistema": "Asistencia", "prioridad": "low"},
        steps=(
            act(
                "carla.bravo",
                "aceptar",
                "1d",
                evaluacion="Útil y pequeño: dos días.",
                assignee="pedro.vielma",
            ),
            act(
                "pedro.vielma",
                "solicitar_informacion",
                "2d",
                note="¿El aula sale del horario o de la reserva de salas?",
            ),
        ),
    ),
    Story(
        INCIDENT,
        "incidente",
        by="ramon.acosta",
        filed="30d 08:40",
        title="La pizarra digital tarda un minuto en encender",
        text="Desde la actualización tarda más de un minuto.",
        fields={
            "tipo": "error",
            "sistema": "Pizarras",
            "pasos": "Encender la pizarra del aula 5.",
            "prioridad": "medium",
        },
        steps=(
            act("carla.bravo", "aceptar", "4h", evaluacion="Afecta a cuatro aulas.", assignee="pedro.vielma"),
            act(
                "pedro.vielma",
                "resolver",
                "3d",
                solution_done="Volvimos a la versión anterior del controlador.",
            ),
            act("carla.bravo", "devolver", "5h", note="En el aula 5 sigue igual."),
            act(
                "pedro.vielma",
                "resolver",
                "1d",
                solution_done="Cambiamos también el disco del aula 5: enciende en 12 s.",
            ),
            act("carla.bravo", "validar", "3h"),
        ),
    ),
    Story(
        INCIDENT,
        "incidente",
        by="isabel.guerra",
        taken_by="agente",
        channel=Channel.PHONE,
        filed="10d 11:30",
        title="Cambiar el orden de los apellidos en todo el sistema",
        text="Pide por teléfono que el segundo apellido vaya primero en las listas.",
        fields={"tipo": "funcionalidad", "sistema": "Expedientes", "prioridad": "low"},
        steps=(
            note("carla.bravo", "Afecta a las constancias firmadas.", "1d"),
            act(
                "carla.bravo",
                "rechazar",
                "20m",
                evaluacion="No conviene: los documentos oficiales siguen el orden legal.",
                motivo_rechazo="no_se_puede",
                message="Los documentos oficiales siguen el orden legal de los apellidos: no podemos cambiarlo.",
            ),
        ),
    ),
)
