"""Refusals of the front door."""

from shared.web.problems import Problem


class NoSuchPersona(Problem):
    """The development sign-in knows no such person or role."""

    status = 422
    code = "no_such_persona"
    title_zh = "没有这个身份"
    title_en = "There is no such identity"


class NoDevelopmentSignIn(Problem):
    """Where there is an identity server, or should be one, nobody signs in without it."""

    status = 404
    code = "not_found"
    title_zh = "未找到"
    title_en = "Not found"


class NoIdentityServer(Problem):
    """This system knows no identity server."""

    status = 404
    code = "not_found"
    title_zh = "未找到"
    title_en = "Not found"
