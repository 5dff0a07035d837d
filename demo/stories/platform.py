"""S2 · Faults of the learning platform; the department Soporte técnico."""

from demo.replay.script import (
    act,
    ask_task,
    assign,
    call,
    closing_review,
    contribution,
    draft,
    follow_up,
    from_now,
    note,
    prepare,
    rate,
    reply,
    review,
    solve,
)
from demo.replay.story import Story
from tickets.enums import ContactOutcome, Severity

PROCESS = "soporte-con-aprobacion"

STORIES = (
    Story(
        PROCESS,
        "plataforma",
        by="cliente",
        filed="6d 09:12",
        title="No puedo subir el informe de Meteorología",
        text="Desde ayer el aula me rechaza el archivo con el mensaje «Formato no admitido», aunque es un PDF.\n\n"
        "1. Entro a Meteorología I, tarea 4.\n2. Elijo el archivo.\n3. Al guardar, sale el mensaje.",
        files=("formato-no-admitido.png",),
        steps=(
            prepare("1h 20m", to="tecnico", severity=Severity.HIGH, difficulty=2),
            follow_up(
                "tecnico",
                "Hola, Valentina. Ya vimos tu reporte y lo estamos reproduciendo con una copia de la tarea.",
                "2h",
            ),
            note(
                "tecnico",
                "La tarea 4 quedó con la lista de extensiones del periodo pasado: solo admite .docx. "
                "@ana.blanco@demo.test, ¿hay más tareas igual?",
                "40m",
            ),
            note("ana.blanco", "Dos más, las de Navegación. Las corregí las tres.", "2d"),
            act(
                "tecnico",
                "pedir_aprobacion",
                "3h",
                solution_done="La tarea 4 solo admitía archivos de Word por una configuración del periodo pasado. "
                "La corregimos: ahora admite PDF y Word de hasta 20 MB.",
                solution_steps="Entra otra vez a la tarea y sube tu PDF. La fecha de entrega se corrió dos días.",
            ),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="cliente",
        filed="2d 15:40",
        title="El simulador de radionavegación se queda en blanco",
        text="Al abrir el ejercicio 7 la pantalla queda en blanco después de la barra de carga. En la computadora de "
        "la universidad sí abre.",
        steps=(
            prepare("50m", to="tecnico", severity=Severity.MEDIUM, difficulty=3, contribution_open=True),
            follow_up(
                "tecnico",
                "Para seguir necesitamos dos datos:\n\n- el navegador y su versión;\n- una captura de la pantalla en "
                "blanco con la consola abierta (tecla F12).\n\nPuedes responder desde el enlace del correo, sin "
                "entrar a tu cuenta.",
                "20h",
            ),
        ),
    ),
    Story(
        PROCESS,
        "constancias",
        by="cliente",
        filed="23d 08:35",
        title="Mi nombre aparece sin acentos en el certificado",
        text="El certificado del curso de Seguridad Operacional dice «Nunez» y es «Núñez» en el segundo apellido.",
        files=("certificado-seguridad-operacional.pdf",),
        steps=(
            prepare("2h", to="agente", severity=Severity.LOW, difficulty=1),
            act(
                "agente",
                "pedir_aprobacion",
                "1d 4h",
                solution_done="Corregimos el nombre en tu expediente y volvimos a emitir el certificado.",
                solution_steps="Descárgalo de nuevo en «Mis documentos».",
            ),
            act(
                "requester",
                "rechazar",
                "5h",
                message="En el expediente ya está bien, pero el PDF que se descarga sigue igual que antes.",
            ),
            note(
                "agente",
                "El PDF venía de la copia guardada. Faltó borrarla antes de pedir la aprobación.",
                "1h",
            ),
            review(
                "supervisor",
                "Se pidió el cierre sin comprobar la descarga. Agregamos ese paso a la lista de cierre del área.",
                "20h",
            ),
            act(
                "agente",
                "pedir_aprobacion",
                "2h",
                solution_done="Borramos la copia anterior y emitimos el certificado otra vez. Comprobamos la descarga "
                "con tu usuario de consulta: sale «Núñez».",
            ),
            act("requester", "aprobar", "3h"),
            *closing_review("beatriz.solano", "1h", "Recibió el certificado corregido."),
            rate(4, "30m", "Al segundo intento quedó perfecto. Gracias por avisarme."),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="julian.torres",
        filed="7d 10:05",
        title="Error 500 al presentar el parcial de Aerodinámica",
        text="A los veinte minutos de empezar salió «Error 500» y perdí las respuestas. El tiempo siguió corriendo. "
        "Adjunto la captura con la hora.",
        files=("error-500-parcial.png",),
        steps=(
            prepare("35m", to="tecnico", severity=Severity.CRITICAL, difficulty=4, queue_position=1),
            follow_up(
                "tecnico",
                "Julián, tu parcial está a salvo: las respuestas se guardan cada minuto. Pedimos a la coordinación "
                "que te abra un intento nuevo mientras encontramos la causa.",
                "20m",
            ),
            note(
                "tecnico",
                "El servidor de exámenes se quedó sin conexiones a las 10:21. Coincide con tres grupos a la vez. "
                "@supervisor@demo.test hay que hablar con infraestructura.",
                "2h",
                files=("servidor-examenes.log",),
            ),
            ask_task(
                "tecnico",
                "desarrollo",
                "Ampliar las conexiones del servidor de exámenes",
                "10m",
                details="Se acaban con tres grupos a la vez: el registro del sábado está en la nota.",
            ),
            follow_up(
                "tecnico", "Seguimos con infraestructura: quieren ampliar el servidor esta semana.", "2d"
            ),
            reply("Gracias. El profesor ya me dio otra fecha, pero me preocupa que vuelva a pasar.", "5h"),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="diana.cely",
        filed="4d 21h",
        title="La clase grabada de ayer no tiene sonido",
        text="La grabación de Fisiología de Vuelo se ve bien pero no se oye desde el minuto 4.",
        steps=(
            prepare("3h", to="tecnico", severity=Severity.MEDIUM, difficulty=2, due_at=from_now("2h 30m")),
            follow_up(
                "tecnico", "Pedimos al salón la copia local del micrófono. Te contamos apenas llegue.", "20h"
            ),
            draft("tecnico", "Diana, ya tenemos el audio. Estamos uniéndolo con el video y", "2d 20h"),
        ),
    ),
    Story(
        PROCESS,
        "notas",
        by="isabel.guerra",
        filed="3d 11:20",
        title="No me deja publicar las notas del segundo corte",
        text="El botón «Publicar» aparece en gris para el grupo 2. En el grupo 1 publiqué sin problema.",
        steps=(
            prepare("1h", to="agente", severity=Severity.HIGH, difficulty=2),
            follow_up(
                "agente",
                "Profesora, el grupo 2 figura sin acta abierta. Lo pedimos a Control de estudios.",
                "2h",
            ),
            note("agente", "Control de estudios abre actas los martes. Insistí por teléfono.", "1h"),
            call("agente", "10m", ContactOutcome.FAILED, "No contestó; dejé mensaje."),
        ),
    ),
    Story(
        PROCESS,
        "acceso",
        by="john.smith",
        filed="1d 14:50",
        title="The verification code never reaches my phone",
        text="I am taking the course from Boston. The code for the exam room is sent by SMS and nothing arrives. "
        "My number starts with +1 617.",
        steps=(
            prepare("1h 10m", to="ivan.lozada", severity=Severity.HIGH, difficulty=2, contribution_open=True),
            follow_up(
                "ivan.lozada",
                "Hello John. Codes are only sent to Venezuelan and Colombian numbers for now. Would you take the "
                "code by e-mail instead? Please answer here and we will switch it on today.",
                "2h",
            ),
        ),
    ),
    Story(
        PROCESS,
        "acceso",
        by="maria.hernandez",
        filed="25m",
        title="El aula virtual me saca cada cinco minutos y tengo entrega hoy a medianoche",
        text="Estoy trabajando en la entrega final y cada cinco minutos vuelve a pedirme la clave 😟. Probé en Chrome "
        "y en Firefox.",
        files=("sesion-terminada.png",),
    ),
    Story(
        PROCESS,
        "alta-de-cuenta",
        by="ramon.acosta",
        filed="2h 40m",
        title="Quiero agregar un asistente al curso de Procedimientos",
        text="Necesito que el instructor Vielma pueda calificar en mi curso durante noviembre.",
    ),
    Story(
        PROCESS,
        "plataforma",
        by="julian.torres",
        filed="31d 16:20",
        title="No me llegan los avisos del foro",
        text="Estoy suscrito al foro de Motores y desde hace dos semanas no recibo correos.",
        steps=(
            prepare("4h", to="ivan.lozada", severity=Severity.LOW, difficulty=1),
            act(
                "ivan.lozada",
                "pedir_aprobacion",
                "2d",
                solution_done="Tu proveedor de correo rechazaba nuestros avisos. Volvimos a activar tu dirección.",
                solution_steps="Agrega avisos@plataforma.demo.test a tus contactos.",
            ),
            *closing_review("beatriz.solano", "5d 3h", "No contesta.", reached=False),
            act("beatriz.solano", "llamar", "1d", call_outcome="failed", note="Tampoco contesta."),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="diana.cely",
        filed="17d 13:05",
        title="La videollamada de tutoría se corta en el celular",
        text="Con datos móviles se corta a los diez minutos exactos. Con wifi no pasa.",
        steps=(
            prepare("2h 30m", to="tecnico", severity=Severity.MEDIUM, difficulty=3, contribution_open=True),
            follow_up("tecnico", "¿Nos dices qué operadora usas y el modelo del teléfono?", "3h"),
            reply("Digitel, Samsung A34.", "6h"),
            follow_up("tecnico", "Gracias. ¿Puedes probar con el modo de ahorro de datos apagado?", "16h"),
            reply("Con el ahorro apagado no se corta 👍", "9h"),
            contribution("tecnico", "30m", is_open=False),
            act(
                "tecnico",
                "pedir_aprobacion",
                "1h",
                solution_done="El ahorro de datos del teléfono cerraba la llamada a los diez minutos.",
                solution_steps="Deja apagado el ahorro de datos para el navegador mientras dure la tutoría.",
            ),
            act("requester", "aprobar", "2h"),
            *closing_review("beatriz.solano", "3h", "Terminó la tutoría de ayer sin cortes."),
            rate(5, "5m", "Muy atentos, me fueron guiando paso a paso."),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="isabel.guerra",
        filed="44d 09:45",
        title="Las rúbricas se desordenan al duplicar un curso",
        text="Duplico el curso del semestre anterior y los criterios quedan en otro orden.",
        steps=(
            prepare("1h", to="ana.blanco", severity=Severity.LOW, difficulty=3),
            follow_up("ana.blanco", "Lo confirmamos: pasa con rúbricas de más de seis criterios.", "1d 2h"),
            solve(
                "ana.blanco",
                "Instalamos la corrección que publicó el fabricante y reordenamos las rúbricas de tus tres cursos.",
                "2d",
            ),
            act(
                "ana.blanco",
                "pedir_aprobacion",
                "20m",
                solution_done="Ya puedes duplicar tus cursos sin perder el orden.",
            ),
            act("requester", "aprobar", "1d"),
            *closing_review("beatriz.solano", "1h", "Ya duplicó el primer curso."),
            rate(5, "1h"),
        ),
    ),
    Story(
        PROCESS,
        "plataforma",
        by="ramon.acosta",
        filed="12d 07:50",
        title="El visor de cartas de navegación no imprime",
        text="La vista previa sale bien y la hoja sale en blanco. Pasa en las dos impresoras de la sala.",
        steps=(
            prepare("2h", to="tecnico", severity=Severity.MEDIUM, difficulty=2),
            assign("supervisor", "ivan.lozada", "16h"),
            follow_up("ivan.lozada", "Capitán, paso hoy por la sala con el técnico de impresoras.", "4h"),
            act(
                "ivan.lozada",
                "pedir_aprobacion",
                "1d",
                solution_done="El controlador de las impresoras no admitía el tamaño de las cartas. Lo cambiamos.",
            ),
            act("requester", "aprobar", "4h"),
            *closing_review("beatriz.solano", "2h", "Imprimió las cartas de la ruta."),
            rate(3, "10m", "Tardó dos días para un controlador."),
        ),
    ),
)
