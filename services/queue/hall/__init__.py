"""The hall page (大堂页): the branch manager sees the queue, the windows and what keeps a colleague from opening."""
