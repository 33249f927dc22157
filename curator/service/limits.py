"""Rate limits: a bucket of tokens for each client, filled at a steady rate."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from curator.service.errors import ServiceError

MAX_CLIENTS = 10_000


class RateLimit:
    """Lets each client do something `rate_per_s` times a second, and `burst` times at once.

    Args:
        rate_per_s: Tokens that come back each second.
        burst: Tokens that fit into the bucket.
        clock: Seconds that only go forward.
    """

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._guard = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Takes a token of a client.

        Raises:
            ServiceError: There is none left (429); its header says in how many seconds there will be.
        """
        now = self._clock()
        with self._guard:
            left, seen = self._buckets.pop(client, (float(self._burst), now))
            left = min(self._burst, left + (now - seen) * self._rate_per_s)
            is_allowed = left >= 1
            self._buckets[client] = (left - 1 if is_allowed else left, now)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)
        if not is_allowed:
            wait_s = math.ceil((1 - left) / self._rate_per_s)
            raise ServiceError(
                429,
                f"{client}: more than {self._rate_per_s:g} a second",
                f"come again in {wait_s} s; serve.events_per_s sets the rate",
                {"Retry-After": str(wait_s)},
            )
