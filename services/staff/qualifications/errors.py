"""Refusals about qualifications."""

from shared.web.problems import AlreadyExists, Problem


class OwnQualification(Problem):
    """Nobody certifies themselves."""

    status = 403
    code = "own_qualification"
    title_zh = "不得为本人授予岗位资格"
    title_en = "Nobody grants themselves a qualification"


class GrantedAlready(AlreadyExists):
    """The person has this qualification from the same instant on."""

    def __init__(self, qualification: str) -> None:
        super().__init__(
            qualification=qualification,
            detail_en="The person holds this qualification from the same instant on.",
            detail_zh="该员工自同一时间起已持有此项资格。",
        )
