"""A page's cost does not hang on how deep it is called (docs/decisions/0012)."""

import resource

from helpdesk.call_stack import with_room

DEPTHS = range(400)
OFTEN = 300  # calls made over and over at each depth


def faults(application, depth):
    """How often the system had to find a page of memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    application({"depth": depth}, None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def application(environ, start_response):
    def leaf(number):
        return number

    def call(number):  # a frame of its own around `leaf`: since 3.12 a comprehension has none
        return leaf(number)

    def go_down(levels):
        return go_down(levels - 1) if levels else [call(number) for number in range(OFTEN)]

    return go_down(environ["depth"])


def test_the_answer_is_the_applications_own():
    assert with_room(application)({"depth": 3}, None) == list(range(OFTEN))


def test_calls_find_room_at_every_depth():
    roomy = with_room(application)
    assert max(faults(roomy, depth) for depth in DEPTHS) < OFTEN / 3
