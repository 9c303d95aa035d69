"""The definitions in Chinese (指标口径). Each names the version it translates: a new definition wants a new text."""

from typing import Final, NamedTuple


class Chinese(NamedTuple):
    """A definition: what it is, what is counted, out of what, what is left out."""

    version: int
    what: str
    numerator: str
    denominator: str
    excluded: str
    example: str


DEFINITIONS: Final[dict[str, Chinese]] = {
    "visits.opened": Chinese(
        1, "发出的号票数。", "到访，不论结果如何。", "无。", "无；导入的历史数据计入。",
        "1 人办结、1 人离开、1 人等候：3。"
    ),
    "visits.served": Chinese(
        1, "业务已办结的到访数。", "状态为办结的到访。", "无。", "仍在办理的；离开的；过号的。",
        "2 人办结、1 人办理中、1 人离开：2。",
    ),
    "visits.abandoned": Chinese(
        1, "未办理即离开的客户数。", "状态为离开的到访。", "无。", "过号另计，见过号数。",
        "1 人离开、1 人过号、1 人办结：1。"
    ),
    "visits.no_show": Chinese(
        1, "叫号后未到的客户数。", "状态为过号的到访。", "无。", "表明离开的，或从未被叫号的。",
        "1 人离开、1 人过号、1 人办结：1。",
    ),
    "wait.seconds": Chinese(
        1, "客户等候首次叫号的时长。", "从取号到首次叫号的秒数，每次到访四舍五入。", "被叫号的到访。",
        "离开的客户（等候尚未结束）；仍在等候的。过号的已被叫号，计入。",
        "等候 0、30、300 秒，另有 1 人 600 秒后离开：平均 110，n = 3，中位数 30，P90 为 300。",
    ),
    "handling.seconds": Chinese(
        1, "窗口办理所用的时长。", "从开始到结束的秒数，每次到访四舍五入。", "时长已知的到访。",
        "时长未知的到访，绝不按 0 计；仍在办理的。历史数据中办理时挂断的客户有办理时长，计入。",
        "54 秒、0 秒、1 次未知：平均 27，n = 2。",
    ),
    "wait.service_level": Chinese(
        2, "在时限 T 内得到办理的比例；T 由查询给出，默认 900 秒。", "办结且等候不超过 T 的到访。",
        "全部办结的，加上等候超过 T 后离开的。",
        "T 内离开的客户；过号的（等候因未听到的叫号而结束，既不算达标也不算未达标）；未结束的到访。历史数据计入。",
        "T = 900：60、900、901 秒后办结，100、2000 秒后离开：2 / (3 + 1) = 0.5。",
    ),
    "survey.invitation_rate": Chinese(
        1, "办结客户中被邀请评价的比例。", "发出的邀请。", "实时产生且办结的到访。",
        "导入的历史数据（不发邀请）；未办结的到访。", "实时办结 2 次、导入 1 次、邀请 1 次：1 / 2 = 0.5。",
    ),
    "survey.response_rate": Chinese(
        1, "被邀请客户中已作评价的比例。", "已回答的邀请。", "发出的邀请。", "无；尚可回答的邀请按未回答计。",
        "邀请 4 次，回答 1 次：1 / 4 = 0.25。",
    ),
    "survey.csat": Chinese(
        1, "1–5 分评价中 4 分和 5 分所占的比例，涵盖全部评分题。", "4 分或 5 分的回答。", "1–5 分的有效回答。",
        "未答、不适用及超出 1–5 的，绝不当作低分。n 为有有效回答的客户数：同一客户的回答彼此相近，区间按客户数计算。",
        "一位客户 5、5、3 分，另一位 4 分：3 / 4 = 0.75，n = 2。",
    ),
}  # fmt: skip
