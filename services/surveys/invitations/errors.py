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
