"""What feedback may become: the firewall before the test set, bursts, and the report of metrics and arms."""

from curator.feedback.guard import find_guarded

__all__ = ["find_guarded"]
