"""Metrics as code: pure functions from facts to contributions, and from summed cells to answers (指标)."""
