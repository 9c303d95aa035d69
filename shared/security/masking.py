"""Personal data as it is shown by default (脱敏). A mask never shows how long the value is."""

import re
from typing import Final

STARS: Final = "****"
_NOT_DIGITS: Final = re.compile(r"[^0-9]")
_MAINLAND_MOBILE: Final = re.compile(r"(?:0086|86)?(1[3-9]\d{9})")

_COMPOUND: Final = """
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连
澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于
司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋
夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五
"""
_COMPOUND_SURNAMES: Final = frozenset(_COMPOUND.split())
"""The two-character surnames (复姓) of the Hundred Family Surnames and those still common beside them."""


def mask_name(name: str) -> str:
    """A person's name as its surname and one star: 张三 is 张*, 欧阳小明 is 欧阳*, ``Maria del Pilar`` is M*.

    Latin and other names keep their first character only. One character alone, or nothing, becomes a star.
    """
    text = name.strip()
    if len(text) < 2:
        return "*"
    if len(text) > 2 and text[:2] in _COMPOUND_SURNAMES:
        return f"{text[:2]}*"
    return f"{text[0]}*"


def mask_phone(phone: str) -> str:
    """A telephone number: a mainland mobile keeps three and four digits (138****1234), others only the last two.

    A number of fewer than eight digits is masked whole. Spaces, dashes and the prefix +86 are not kept.
    """
    digits = _NOT_DIGITS.sub("", phone)
    mobile = _MAINLAND_MOBILE.fullmatch(digits)
    if mobile:
        number = mobile.group(1)
        return f"{number[:3]}{STARS}{number[-4:]}"
    return STARS + digits[-2:] if len(digits) >= 8 else STARS
