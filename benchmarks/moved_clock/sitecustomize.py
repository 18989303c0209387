"""Python imports this at its start where the folder is on its path.

libfaketime 0.9.10 makes ``time.sleep`` fail (EINVAL) when the monotonic clock is left
alone, and makes locks with a timeout hang when it is not.
"""

import select
import time


def sleep(seconds):
    """Sleep by a call that takes a duration, not a moment."""
    select.select([], [], [], seconds)


time.sleep = sleep
