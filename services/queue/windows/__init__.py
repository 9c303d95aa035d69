"""Windows: who serves which services at which window (窗口)."""
