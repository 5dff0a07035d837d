"""The floor page: the lowest cost of a signed-in page with a list on this server. Other pages are compared with it.

It has one indexed query, fifty rows, six columns and no frame. It includes the cost of session, user and middleware,
as every other page does.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import engines

from tickets.models import Ticket

ROWS = 50
PAGE = """<!doctype html><html lang="es"><head><title>Floor</title></head><body><h1>{{ user.name }}</h1><table>
{% for ticket in tickets %}<tr><td>{{ ticket.folio }}</td><td>{{ ticket.title }}</td>
<td>{{ ticket.requester_name }}</td><td>{{ ticket.get_severity_display }}</td>
<td>{{ ticket.created_at|date:"j M Y, H:i" }}</td><td>{{ ticket.due_at|date:"j M Y, H:i" }}</td></tr>
{% endfor %}</table></body></html>"""
_template = None


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    global _template  # noqa: PLW0603  (template engines are not ready while the URLs are imported)
    if _template is None:
        _template = engines["django"].from_string(PAGE)
    tickets = Ticket.objects.order_by("-created_at", "-id")[:ROWS]
    return HttpResponse(_template.render({"tickets": tickets}, request))
