"""Refusals of the organisation."""

from shared.web.problems import AlreadyExists, InvalidField, Problem


class IdTaken(AlreadyExists):
    """The id belongs to another entity of the directory, of whatever kind."""

    def __init__(self, taken: str) -> None:
        super().__init__(
            pointer="/id",
            reference=taken,
            detail_en=f"The id {taken} is taken.",
            detail_zh=f"编号 {taken} 已被占用。",
        )


class CodeTaken(AlreadyExists):
    """Another unit has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            pointer="/code",
            reference=code,
            detail_en=f"Another unit has the code {code}.",
            detail_zh=f"机构代码 {code} 已被占用。",
        )


class UnknownUnit(InvalidField):
    """The unit that a field names does not exist in the caller's part of the tree."""

    def __init__(self, pointer: str) -> None:
        super().__init__(
            pointer, "unknown_unit", "There is no such unit in your part of the tree", "您的机构范围内没有该机构"
        )


class UnitNotInForce(InvalidField):
    """The unit that a field names has been closed for good."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer, "unit_closed", "The unit has been closed", "该机构已撤销")


class UnknownZone(InvalidField):
    """Not a zone of the IANA data base."""

    def __init__(self) -> None:
        super().__init__(
            "/zone", "unknown_zone", "No such zone in the IANA time zone data base", "IANA 时区库中没有该时区"
        )


class WrongPlace(InvalidField):
    """A unit of this kind cannot hang there."""

    def __init__(self) -> None:
        super().__init__(
            "/parent",
            "wrong_place",
            "Head office is the root; regions and branches hang under head office or a region",
            "总行为根机构;分行和网点须隶属于总行或分行",
        )


class PathTooLong(InvalidField):
    """Too deep, or ids too long, for the directory's path."""

    def __init__(self, longest: int) -> None:
        super().__init__(
            "/id",
            "path_too_long",
            f"The ids from the root to this unit may take {longest} characters",
            f"从总行到该机构的编号路径不得超过 {longest} 个字符",
        )


class EmptyPeriod(InvalidField):
    """It ends before it begins."""

    def __init__(self) -> None:
        super().__init__("/valid_to", "empty_period", "valid_to must be after valid_from", "失效时间须晚于生效时间")


class OutsideParentPeriod(InvalidField):
    """The unit would exist while its parent does not."""

    def __init__(self) -> None:
        super().__init__(
            "/valid_to",
            "outside_parent_period",
            "A unit exists only while its parent does",
            "机构的有效期须在上级机构有效期之内",
        )


class UnitsBelowOpen(Problem):
    """Units below would outlive it."""

    status = 409
    code = "units_below_open"
    title_zh = "下级机构尚未撤销"
    title_en = "Units below are still open then"
