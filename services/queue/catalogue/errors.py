"""What the catalogue refuses."""

from shared.web.problems import InvalidField, Problem


class ServiceNotOffered(Problem):
    """The branch does not offer the service."""

    status = 409
    code = "service_not_offered"
    title_zh = "本网点不办理该业务"
    title_en = "This branch does not offer the service"


class PrefixTaken(Problem):
    """Another service prints tickets under this prefix."""

    status = 409
    code = "prefix_taken"
    title_zh = "号码前缀已被其他业务使用"
    title_en = "The prefix belongs to another service"


def unknown_class(code: str) -> InvalidField:
    """No ticket class of this code is in force."""
    return InvalidField(
        "/class", "unknown_class", f"There is no ticket class {code!r} in force", "号票类别不存在或未生效"
    )
