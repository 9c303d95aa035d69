"""The service catalogue: what a branch offers, with materials, steps and ticket classes (业务目录)."""
