"""Figures: metrics as people read them (指标): a wall for a unit, control charts, what lies below, files."""
