"""What the windows refuse."""

from shared.web.problems import Problem


class NotQualified(Problem):
    """The teller lacks a qualification that a service needs at this instant (持证上岗)."""

    status = 409
    code = "not_qualified"
    title_zh = "无相应岗位资格,不得开窗"
    title_en = "The qualification that the service needs is not valid now"


class StaffNotActive(Problem):
    """The person does not work at the bank any more, or not now."""

    status = 409
    code = "staff_not_active"
    title_zh = "该员工不在岗"
    title_en = "This person is not active"


class StaffBusy(Problem):
    """The teller already runs another window."""

    status = 409
    code = "staff_busy"
    title_zh = "该员工已在其他窗口"
    title_en = "This person runs another window already"


class WindowBusy(Problem):
    """The window still has a customer."""

    status = 409
    code = "window_busy"
    title_zh = "窗口仍有客户"
    title_en = "The window still has a customer"


class NotYourWindow(Problem):
    """Another teller runs this window."""

    status = 409
    code = "not_your_window"
    title_zh = "该窗口由其他员工值守"
    title_en = "Another teller runs this window"


class OwnOverride(Problem):
    """Nobody lets a control pass for themselves."""

    status = 409
    code = "own_override"
    title_zh = "不得为本人放行"
    title_en = "Nobody overrides a control for themselves"


class NoStaffId(Problem):
    """The token names no member of staff."""

    status = 403
    code = "no_staff_id"
    title_zh = "令牌未标明员工"
    title_en = "The token names no member of staff"
