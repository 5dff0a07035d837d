"""Remove sign-in codes from the subjects of account mails, and tokens of links from answers of mail servers.

Reads the account mails and the failed mails once, and locks only the rows that it changes.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CODE = re.compile(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b|\b\d{6,}\b")
TOKEN = re.compile(r"(/enlace/)[\w-]+")
HIDDEN = "••••"
WAITING = ("queued", "sending", "started")
AT_ONCE = 500


def forget(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    mails = apps.get_model("notifications", "OutgoingEmail").objects
    deliveries = apps.get_model("tickets", "Delivery").objects
    for mail in _each(mails.filter(audience="account")):
        hidden = CODE.sub(HIDDEN, mail.subject)
        if mail.state in WAITING:
            whole = mail.secret_subject or mail.subject
            mails.filter(pk=mail.pk).update(subject=hidden, secret_subject=whole)
        elif hidden != mail.subject or mail.text or mail.html:
            mails.filter(pk=mail.pk).update(subject=hidden, text="", html="")
    for mail in _each(mails.filter(last_error__contains="/enlace/")):
        mails.filter(pk=mail.pk).update(last_error=TOKEN.sub(r"\1…", mail.last_error))
    for delivery in _each(deliveries.filter(detail__contains="/enlace/")):
        deliveries.filter(pk=delivery.pk).update(detail=TOKEN.sub(r"\1…", delivery.detail))


def _each(rows: Any) -> Iterator[Any]:
    return rows.order_by("pk").iterator(chunk_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("notifications", "0002_mail_batches")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
