"""Refusals about people."""

from shared.web.problems import Problem


class PersonalDataDestroyed(Problem):
    """The record's key was deleted at the end of its retention: nobody can read the value any more."""

    status = 410
    code = "personal_data_destroyed"
    title_zh = "个人信息已按期销毁"
    title_en = "The personal data has been destroyed"
