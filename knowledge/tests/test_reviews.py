"""A colleague is asked to review an article, and answers (S2.47)."""

import pytest

from accounts.tests.factories import make_agent, make_supervisor, make_user
from knowledge import reviews
from knowledge.exceptions import NotAllowed, NotReviewable
from knowledge.models import Article, ReviewRequest

from .factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Article:
    return make_draft("Pagar con tarjeta")


def test_asking_again_changes_the_open_request(draft: Article):
    asker, other, reviewer = make_agent(), make_agent(), make_supervisor()
    reviews.ask(draft, actor=asker, reviewer=reviewer, note="El paso 2")
    reviews.ask(draft, actor=other, reviewer=reviewer, note="Todo")

    [request] = reviews.requests_of(draft)
    assert (request.note, request.asked_by) == ("Todo", other)
    assert list(reviews.asked_of(reviewer)) == [request]


def test_answer_ends_the_request_once(draft: Article):
    asker, reviewer = make_agent(), make_supervisor()
    reviews.ask(draft, actor=asker, reviewer=reviewer)

    answered = reviews.answer(draft, actor=reviewer, said="Bien")

    assert answered is not None
    assert (answered.answer, answered.answered_at is not None) == ("Bien", True)
    assert reviews.answer(draft, actor=reviewer) is None
    assert reviews.answer(draft, actor=asker) is None
    reviews.ask(draft, actor=asker, reviewer=reviewer)
    assert ReviewRequest.objects.count() == 2


def test_only_colleagues_are_asked_and_only_staff_asks(draft: Article):
    asker = make_agent()
    for person in (asker, make_user(), make_agent(is_active=False)):
        with pytest.raises(NotReviewable):
            reviews.ask(draft, actor=asker, reviewer=person)
    with pytest.raises(NotAllowed):
        reviews.ask(draft, actor=make_user(), reviewer=asker)

    assert not ReviewRequest.objects.exists()
