"""`with_room` makes the cost of calls independent of the depth of the call stack (docs/decisions/0012)."""

import resource

from helpdesk.call_stack import with_room

DEPTHS = range(400)
OFTEN = 300  # calls at each depth


def faults(application, depth):
    """Return the number of page faults while `application` is called at `depth`."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    application({"depth": depth}, None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def application(environ, start_response):
    def leaf(number):
        return number

    def call(number):  # adds a frame around `leaf`: since Python 3.12 a comprehension has none
        return leaf(number)

    def go_down(levels):
        return go_down(levels - 1) if levels else [call(number) for number in range(OFTEN)]

    return go_down(environ["depth"])


def test_with_room_returns_the_applications_answer():
    assert with_room(application)({"depth": 3}, None) == list(range(OFTEN))


def test_calls_cause_few_page_faults_at_any_depth():
    roomy = with_room(application)
    assert max(faults(roomy, depth) for depth in DEPTHS) < OFTEN / 3
