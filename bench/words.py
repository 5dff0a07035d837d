"""Texts and names for the bench's tickets. Their length and variety matter, not their meaning."""

COMMON, RARE, ABSENT = "plataforma", "hiperconvergente", "zzzqqq"
"""Words to search for: in one title of fourteen, in one title of five thousand, in none."""
RARE_EVERY, RARE_FIRST = 5000, 1234

TITLES = (
    "No puedo entrar a la plataforma",
    "El pago salió dos veces",
    "La constancia de notas sale con otro nombre",
    "No me aparece la materia inscrita",
    "La app se cierra al abrir el mapa",
    "Cambio de horario de la práctica de vuelo",
    "El código de acceso no llega al correo",
    "Error 500 al subir el examen",
    "La reserva sigue pendiente después de pagar",
    "Solicitud de carta de culminación",
    "El botón «Confirmar» no responde",
    "No se ven las notas del segundo corte",
    "La ubicación aparece a varias calles de donde estoy",
    "Corrección de cédula en el expediente",
)
SENTENCES = (
    "Intenté tres veces, desde el teléfono y desde la computadora, y pasa lo mismo.",
    "El mensaje dice «La sesión terminó» y me devuelve al inicio.",
    "Ayer todavía funcionaba; no cambié nada en mi cuenta.",
    "Adjunto la captura de pantalla y el comprobante.",
    "Revisamos tu caso con el equipo de desarrollo y ya encontramos la causa.",
    "Necesitamos que nos confirmes la hora aproximada en que ocurrió.",
    "Borra la caché del navegador, vuelve a entrar y cuéntanos si el mensaje se repite.",
    "El cambio quedó hecho hoy en la mañana y ya se ve en tu expediente.",
    "Gracias por la paciencia: lo estamos siguiendo hasta que quede resuelto.",
    "Los registros muestran dos intentos con el mismo identificador de operación.",
    "Si prefieres, podemos llamarte al teléfono que dejaste en el reporte.",
    "Con esta corrección también se actualizó la constancia en PDF.",
)
FIRST_NAMES = (
    "Ana", "Luis", "María", "José", "Carmen", "Pedro", "Lucía", "Diego", "Valentina", "Andrés", "Paula", "Jorge",
    "Gabriela", "Rafael", "Daniela", "Miguel", "Sofía", "Tomás", "Isabel", "Ramón",
)  # fmt: skip
SURNAMES = (
    "Pérez", "Rondón", "Salazar", "Márquez", "Figueroa", "Blanco", "Hernández", "Ñáñez", "Gómez", "Urdaneta",
    "Castillo", "Rivas", "Peña", "Suárez", "Zambrano", "Guerra", "Acosta", "Vielma",
)  # fmt: skip
