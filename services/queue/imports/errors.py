"""What an upload may be refused for."""

from shared.web.problems import InvalidField, Problem


class NotMultipart(Problem):
    """The body is not ``multipart/form-data``."""

    status = 415
    code = "not_multipart"
    title_zh = "请以 multipart/form-data 上传"
    title_en = "Upload as multipart/form-data"


def missing(field: str) -> InvalidField:
    """A part of the form is not there."""
    return InvalidField(f"/{field}", "missing", "Field required", "缺少此字段")


def repeated(field: str) -> InvalidField:
    """A part of the form is there twice."""
    return InvalidField(f"/{field}", "repeated", "The field is given twice", "此字段重复")
