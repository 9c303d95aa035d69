"""What tickets and visits refuse."""

from shared.web.problems import Problem


class WindowNotOpen(Problem):
    """Only an open window calls."""

    status = 409
    code = "window_not_open"
    title_zh = "窗口未开"
    title_en = "The window is not open"
