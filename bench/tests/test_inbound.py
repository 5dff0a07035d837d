"""The short form of `python -m bench.inbound`: mails over IMAP while the receiving process is killed."""

import pytest

from bench import inbound

pytestmark = pytest.mark.topology


@pytest.mark.demand("S0.7")
def test_no_mail_is_lost_or_counted_twice_when_the_process_is_killed():
    result = inbound.run(600, 4)

    assert (result["lost"], result["twice"]) == (0, 0)
    assert result["killed"] >= 2  # a fast machine has received all before the fourth time
    assert result["tickets"] == 600
