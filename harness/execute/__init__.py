"""Carrying programs out on real processes. Knows nothing of models, checking or reports."""
