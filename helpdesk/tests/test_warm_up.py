"""A web process begins with its templates compiled and out of the garbage collector's sight."""

import gc

import pytest
from celery.signals import worker_process_init
from django.template.loader import get_template
from django.template.loaders.filesystem import Loader

from helpdesk.warm_up import warm_up


@pytest.fixture
def frozen():
    yield gc.get_freeze_count()
    gc.unfreeze()
    gc.freeze()  # as the run began: see conftest.py


def test_templates_are_compiled_before_the_first_request(frozen, monkeypatch):
    assert warm_up() > 200
    assert gc.get_freeze_count() > frozen
    monkeypatch.setattr(Loader, "get_contents", lambda *args: pytest.fail("read from the disk"))
    assert get_template("portal/home.html")
    assert get_template("agents/queue/list.html")


def test_process_of_a_worker_spares_the_collector_what_stays(frozen):
    stays = [[] for _each in range(1000)]
    worker_process_init.send(sender=None)
    assert gc.get_freeze_count() >= frozen + len(stays)
