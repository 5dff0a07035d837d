# ruff: noqa: E501  (mails have lines as long as they have)
"""The new words of a mail: what programs quote is folded, and what a person wrote never is (S3.3)."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.incoming import containers, folding, words
from notifications.incoming.fingerprints import Fingerprint
from notifications.tests.mails import make_raw

DESK = "soporte@mesa.test"
ANSWER = "Gracias, ya probé."
OURS = (
    "Te respondimos\n\nHola, Ana. Hay un mensaje del equipo sobre tu caso.\n\n¿Ya probaste a entrar otra vez?"
)
QUOTED = "\n".join(f"> {line}".rstrip() for line in OURS.splitlines())
FRIDAY = "viernes, 20 de noviembre de 2026 10:21"

PROGRAMS = {
    "gmail": f"{ANSWER}\n\nEl vie, 20 nov 2026 a las 10:21, Mesa de ayuda (<{DESK}>)\nescribió:\n\n{QUOTED}",
    "gmail below": f"El vie, 20 nov 2026 a las 10:21, Mesa (<{DESK}>) escribió:\n{QUOTED}\n\n{ANSWER}",
    "gmail en": f"{ANSWER}\n\nOn Fri, Nov 20, 2026 at 10:21 AM Mesa <\n{DESK}> wrote:\n\n{QUOTED}",
    "thunderbird": f"{ANSWER}\n\nEl 20/11/2026 a las 10:21, Mesa de ayuda escribió:\n{QUOTED}",
    "yahoo": f"{ANSWER}\n\n   El {FRIDAY}:33 GMT-5, Mesa <{DESK}> escribió:\n\n{OURS}",
    "iphone": f"{ANSWER}\n\nEnviado desde mi iPhone\n\n> El 20 nov 2026, a la(s) 10:21, Mesa <{DESK}> escribió:\n>\n{QUOTED}",
    "outlook": f"{ANSWER}\n\nDe: Mesa <{DESK}>\nEnviado: {FRIDAY}\nPara: ana@x.test\nAsunto: MA-1\n\n{OURS}",
    "outlook line": f"{ANSWER}\n________________________________\nDe: Mesa <{DESK}>\nEnviado: {FRIDAY}\nPara: Ana\n\n{OURS}",
    "outlook old": f"{ANSWER}\n\n-----Mensaje original-----\nDe: Mesa\nEnviado el: viernes\nPara: ana\n\n{OURS}",
    "outlook bold": f"{ANSWER}\n\n*De:* Mesa <{DESK}>\n*Enviado el:* viernes\n*Para:* ana\n*Asunto:* x\n\n{OURS}",
    "outlook android": f"{ANSWER}\n\nObtener Outlook para Android<https://aka.ms/x>\n\n{'_' * 32}\nFrom: Mesa <{DESK}>\n"
    f"Sent: Friday\nTo: Ana\nSubject: x\n\n{OURS}",
    "samsung": f"{ANSWER}\n\n-------- Mensaje original --------\nDe: Mesa <{DESK}>\nFecha: 20/11/26 10:21\nA: ana@x.test\n\n{OURS}",
    "zoho": f"{ANSWER}\n\n---- El vie, 20 nov 2026 10:21:33 -0500 Mesa <{DESK}> escribió ----\n\n{OURS}",
    "zimbra": f'{ANSWER}\n\nDe: "Mesa" <{DESK}>\nA: ana@x.test\nEnviados: Viernes, 20 de Noviembre 2026\nAsunto: x\n\n{OURS}',
    "horde": f"{ANSWER}\n\nCitando a Mesa de ayuda <{DESK}>:\n\n{QUOTED}",
    "date first": f"{ANSWER}\n\n2026-11-20 10:21 GMT-05:00 Mesa de ayuda <{DESK}>:\n\n{QUOTED}",
    "name first": f"{ANSWER}\n\nMesa de ayuda <{DESK}> escribió el vie, 20 nov 2026:\n\n{QUOTED}",
    "line above": f"{ANSWER}\n\n— Escribe tu respuesta encima de esta línea —\n\n{OURS}",
    "portuguese": f"{ANSWER}\n\nEm sex., 20 de nov. de 2026 às 10:21, Mesa <{DESK}>\nescreveu:\n\n{QUOTED}",
    "french": f"{ANSWER}\n\nLe ven. 20 nov. 2026 à 10:21, Mesa <{DESK}> a\nécrit :\n\n{QUOTED}",
    "german": f"{ANSWER}\n\nAm 20.11.26 um 10:21 schrieb Mesa:\n{QUOTED}",
    "italian": f"{ANSWER}\n\nIl giorno ven 20 nov 2026 alle ore 10:21 Mesa <{DESK}> ha scritto:\n\n{QUOTED}",
    "outlook fr": f"{ANSWER}\n\nDe : Mesa<mailto:{DESK}>\nEnvoyé le :jeudi 15 décembre\nÀ : ana\nObjet :x\n\n{OURS}",
    "signature": f"{ANSWER}\n-- \nAna Pérez\nTel. 555 0100\n\nEl vie, 20 nov 2026 a las 10:21, Mesa <{DESK}> escribió:\n{QUOTED}",
    "no introduction": f"{ANSWER}\n\n{QUOTED}",
    "disclaimer": f"{ANSWER}\n\nAVISO DE CONFIDENCIALIDAD: Este mensaje es para quien va dirigido.\n\n{QUOTED}",
    "virus scanner": f"{ANSWER}\n\nLibre de virus. www.avast.com\n\nEl vie, 20 nov 2026 a las 10:21, Mesa <{DESK}> escribió:\n{QUOTED}",
}


def fold(text: str, **options: object) -> folding.Folded:
    return folding.fold(text.splitlines(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_the_answer_is_shown(program):
    found = fold(PROGRAMS[program])

    assert found.visible == ANSWER
    assert "Hay un mensaje del equipo" in found.quoted


OWN_WORDS = {
    "somebody wrote": "El jueves 12 de mayo mi jefe escribió:\nno funciona nada\n\ny yo digo que sí.",
    "a colon": "Pasos:\n1. Entro.\n2. Sale el error.",
    "two headers": "De: la tienda\nPara: nada\n",
    "a log": "2026-11-20 10:21:33 ERROR soporte: no abre\n2026-11-20 10:21:34 ERROR otra vez:",
    "dashes": "Necesito:\n-- primero\n-- segundo\n\nGracias",
    "a table": "Servicio        Fecha\n---------------------\nBarrera 3       20/11/2026\n",
    "answers inside": f"Hola:\n\n{QUOTED}\n\nSí, ya probé.\n\n> ¿Y la otra?\n\nTambién.",
    "on a day": "El lunes 12 a las 10:30 llamé a soporte@x.test y no contestan.",
}


@pytest.mark.parametrize("case", OWN_WORDS)
def test_own_words_are_all_shown(case):
    text = OWN_WORDS[case]

    assert fold(text).visible == text.strip()


def test_mail_of_nothing_but_quotes_is_shown_whole():
    assert fold(QUOTED).visible == QUOTED


def test_answer_to_us_of_nothing_but_quotes_is_empty():
    assert fold(QUOTED, answers_us=True).visible == ""


def test_forwarded_mail_is_what_it_says():
    text = f"Les paso esto.\n\n---------- Forwarded message ---------\nDe: Luis <luis@x.test>\nFecha: hoy\nPara: ana\n\n{OURS}"
    mail = containers.read(make_raw(text, subject="Fwd: Cobro"))

    assert words.words_of(mail).visible == text


# --- By what we sent --------------------------------------------------------------------------------------

SENT = Fingerprint.of(OURS)


@pytest.mark.parametrize("width", [20, 35, 76, 500])
@pytest.mark.parametrize("mark", ["", "> ", "| ", "    "])
def test_our_words_are_folded_however_they_are_wrapped(width, mark):
    wrapped = [mark + line for block in OURS.splitlines() for line in textwrap.wrap(block, width) or [""]]

    found = folding.fold([ANSWER, "", "Jokin ohjelma kirjoitti:", *wrapped], sent=SENT, answers_us=True)

    assert found.why == "ours"
    assert "Hay un mensaje" not in found.visible
    assert ANSWER in found.visible


def test_fingerprint_is_kept_as_bytes():
    again = Fingerprint.from_bytes(SENT.to_bytes())

    assert again is not None
    assert again.hashes == SENT.hashes
    assert Fingerprint.from_bytes(b"") is None
    assert Fingerprint.from_bytes(b"abc") is None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_what_a_person_types_above_our_words_is_kept(typed):
    """Whatever it is, no word of it disappears without a quote or a signature that holds it."""
    lines = [line for line in typed.splitlines() if line.strip()]

    found = folding.fold([*lines, "", *QUOTED.splitlines()], sent=SENT, answers_us=True)

    everything = f"{found.visible}\n{found.quoted}\n{found.signature}"
    assert all(line.rstrip() in everything for line in lines)


# --- HTML -------------------------------------------------------------------------------------------------

HTML = {
    "gmail": '<div dir="ltr">{a}</div><br><div class="gmail_quote"><div class="gmail_attr">El vie, 20 nov 2026 a las 10:21, '
    "Mesa (&lt;soporte@mesa.test&gt;) escribió:<br></div><blockquote>{q}</blockquote></div>",
    "outlook": '<div class=WordSection1><p>{a}</p><div style="border:none;border-top:solid #E1E1E1 1.0pt">'
    "<p><b>De:</b> Mesa<br><b>Enviado:</b> hoy<br><b>Para:</b> Ana</p></div><p>{q}</p></div>",
    "outlook web": '<div>{a}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>De:</b> Mesa</div><div>{q}</div>',
    "apple": '<div>{a}</div><div><br><blockquote type="cite"><div>El 20 nov 2026, a las 10:21, Mesa escribió:</div>'
    "<div>{q}</div></blockquote></div>",
    "thunderbird": '<p>{a}</p><div class="moz-cite-prefix">El 20/11/2026 a las 10:21, Mesa escribió:<br></div>'
    '<blockquote type="cite"><p>{q}</p></blockquote>',
    "yahoo": '<div>{a}</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>El viernes escribió:</div><div>{q}</div></div>',
}


@pytest.mark.parametrize("program", HTML)
def test_quotes_in_html_are_folded(program):
    html = HTML[program].format(a=ANSWER, q="¿Ya probaste a entrar otra vez?")

    found = words.words_of(containers.read(make_raw("sin formato", html=html)))

    assert found.visible == ANSWER
    assert "otra vez" in found.full


def test_indented_words_in_html_are_no_quote():
    html = "<p>Dice:</p><blockquote style='margin:0 0 0 40px;border:none'>Error 500</blockquote><p>Ayuda</p>"

    assert (
        words.words_of(containers.read(make_raw("Dice: Error 500", html=html))).visible
        == "Dice:\n\nError 500\n\nAyuda"
    )


def test_html_becomes_text_with_its_structure():
    html = (
        "<p>Hola, <b>equipo</b>:</p><ul><li>uno</li><li>dos</li></ul><p>Ver <a href='https://x.test/a'>la página</a>"
        " <script>alert(1)</script><span style='display:none'>oculto</span></p><table><tr><td>a</td><td>b</td></tr></table>"
    )

    text = words.words_of(containers.read(make_raw(html=html))).visible

    assert text.splitlines() == [
        *("Hola, **equipo**:", "", "- uno", "- dos", "", "Ver [la página](https://x.test/a)", "", "a b"),
    ]
