"""The embedded size's broker: a worker never reads half a message."""

from queue import Empty

import pytest
from kombu import Connection

from demo import file_broker


@pytest.fixture
def channels(tmp_path):
    folders = dict.fromkeys(("data_folder_in", "data_folder_out"), str(tmp_path))
    with Connection("filesystem://", transport_options=folders) as connection:
        assert type(connection.transport) is file_broker.Transport
        yield connection.channel(), connection.channel()


def test_each_message_is_taken_once(channels, tmp_path):
    sender, worker = channels
    for number in range(3):
        sender._put("desk", {"number": number})
    sender._put("other", {"number": 9})
    assert {worker._get("desk")["number"] for _ in range(3)} == {0, 1, 2}
    with pytest.raises(Empty):
        worker._get("desk")
    assert [path.name.partition(".")[2] for path in tmp_path.iterdir()] == ["other.msg"]


def test_message_is_invisible_while_being_written(channels):
    sender, worker = channels

    class Slow:
        def __json__(self):
            with pytest.raises(Empty):
                worker._get("desk")
            return "done"

    sender._put("desk", {"text": Slow()})
    assert worker._get("desk") == {"text": "done"}
