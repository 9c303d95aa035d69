"""Problems of invitations."""

from shared.web.problems import Problem


class InvitationExpired(Problem):
    """The invitation's last day is over."""

    status = 410
    code = "invitation_expired"
    title_zh = "评价邀请已过期"
    title_en = "The invitation has expired"


class AlreadyAnswered(Problem):
    """Each invitation is answered once."""

    status = 409
    code = "already_answered"
    title_zh = "该次服务已评价"
    title_en = "This visit has been rated already"


class TakenByStaff(Problem):
    """The ticket was in the hands of who is rated, so its link opens no survey (guide 1.2e)."""

    status = 403
    code = "taken_by_staff"
    title_zh = "该号票由工作人员代取，请通过评价邀请进行评价"
    title_en = "Staff took this ticket; please rate by the invitation you receive"


class NotServedYet(Problem):
    """There is nothing to rate yet, or nobody was served."""

    status = 409
    code = "not_served_yet"
    title_zh = "业务尚未办结，暂不能评价"
    title_en = "The visit has not been served yet"


class InvitationNotReady(Problem):
    """The visit has ended, and its invitation is on the way."""

    status = 409
    code = "invitation_not_ready"
    title_zh = "评价邀请正在生成，请稍后重试"
    title_en = "The invitation is not ready yet, please try again"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})
