"""Definitions of process versions, which every process of the server keeps in memory."""

import pytest
from django.db import transaction

from tickets.models import ProcessVersion
from tickets.tests.factories import make_process

pytestmark = pytest.mark.django_db


def test_definition_is_read_once(django_assert_num_queries):
    version = make_process("soporte-con-aprobacion").current_id
    assert version is not None
    ProcessVersion.objects.forget(version)
    with django_assert_num_queries(1):
        first = ProcessVersion.objects.definition(version)
    with django_assert_num_queries(0):
        assert ProcessVersion.objects.definition(version) is first


def test_id_that_is_used_again_has_the_new_definition():
    """SQLite gives the id of a version whose publication was undone to the next one."""
    process = make_process("soporte-con-aprobacion")
    source = ProcessVersion.objects.values_list("source", flat=True).get(pk=process.current_id)
    other = make_process("incidencia-tecnica")
    undone = transaction.savepoint()
    gone = ProcessVersion.objects.create(process=process, number=9, source=source)
    assert ProcessVersion.objects.definition(gone.pk).key == process.key
    transaction.savepoint_rollback(undone)

    text = ProcessVersion.objects.values_list("source", flat=True).get(pk=other.current_id)
    again = ProcessVersion(pk=gone.pk, process=other, number=9, source=text)
    again.save(force_insert=True)
    assert ProcessVersion.objects.definition(gone.pk).key == other.key
