"""Policies (政策参数): deadlines, weights and thresholds as rows with a date from which they hold, never constants."""
