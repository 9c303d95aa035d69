"""Problems of questionnaires."""

from collections.abc import Sequence

from shared.web.problems import Problem


class DimensionsMissing(Problem):
    """A questionnaire that does not ask about quality, efficiency and attitude cannot be published (guide 1.2e)."""

    status = 422
    code = "dimensions_missing"
    title_zh = "问卷缺少必需的评价维度"
    title_en = "The questionnaire lacks required dimensions"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            missing=list(missing),
            pointer="/items",
            detail_en=f"No item asks about: {', '.join(missing)}.",
            detail_zh=f"没有题目涉及:{'、'.join(missing)}。",
        )
