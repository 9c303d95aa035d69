"""Migrations of the tally."""
