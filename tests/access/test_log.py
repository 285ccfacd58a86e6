"""What `make test-access` leaves in the log of a function that wants a key."""

import os
import pathlib


def test_no_key_is_in_the_log():
    log = pathlib.Path(os.environ["BRO_BUDDY_LOG"]).read_text()
    assert '"api_key_id":"local"' in log, "nobody came in with a key"
    assert os.environ["BRO_BUDDY_KEY"] not in log
