"""Judging: from a history to a verdict. Knows nothing of processes."""
