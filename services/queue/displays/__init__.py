"""Boards of the lobby (叫号屏): who is called, who is next, how long it takes; numbers only."""
