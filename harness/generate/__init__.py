"""Drawing programs with Hypothesis. Knows nothing of processes."""
