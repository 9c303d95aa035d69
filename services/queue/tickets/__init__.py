"""Tickets: one visit from issue to its end (取号、叫号、办理)."""
