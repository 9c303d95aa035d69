"""Problems (RFC 9457): one error tree, each error with a stable type, a status and a title in two languages."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from shared.events.outgoing import Outgoing

TYPE_BASE = "https://wangdian.example/problems/"


class FieldError(BaseModel):
    """One wrong field: a JSON pointer into the request, a code and a sentence."""

    pointer: str = Field(examples=["/service"])
    code: str = Field(examples=["missing"])
    detail: str = Field(examples=["Field required"])


class ProblemBody(BaseModel):
    """``application/problem+json``. Some codes add members, e.g. ``state`` and ``allowed``."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": {
        "type": f"{TYPE_BASE}not_found", "title": "Not found", "status": 404, "code": "not_found",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }})  # fmt: skip

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldError] | None = None
    trace_id: str | None = None


class Problem(Exception):
    """Base of every error a caller can cause or meet. Raising one rolls the unit of work back."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title_zh: ClassVar[str] = "请求有误"
    title_en: ClassVar[str] = "Bad request"

    def __init__(
        self,
        *,
        detail_zh: str | None = None,
        detail_en: str | None = None,
        pointer: str | None = None,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(self.code)
        self.detail_zh = detail_zh
        self.detail_en = detail_en
        self.errors = list(errors or ())
        self.pointer = pointer
        self.headers = dict(headers or {})
        self.members = members
        self.tell: Sequence[Outgoing] = ()
        """Events that tell of the refusal itself: kept in a unit of their own, as the refused one is rolled back."""

    def body(self, language: str, trace_id: str | None) -> dict[str, Any]:
        """The problem document in ``language`` (``zh`` or ``en``)."""
        title, detail = (self.title_zh, self.detail_zh) if language == "zh" else (self.title_en, self.detail_en)
        errors = [error.model_dump() for error in self.errors]
        if self.pointer is not None:
            errors.append({"pointer": self.pointer, "code": self.code, "detail": detail or title})
        document: dict[str, Any] = {
            "type": f"{TYPE_BASE}{self.code}",
            "title": title,
            "status": self.status,
            "code": self.code,
        }
        if detail is not None:
            document["detail"] = detail
        if errors:
            document["errors"] = errors
        if trace_id:
            document["trace_id"] = trace_id
        return document | self.members


class NotFound(Problem):
    """No such object, or one of another unit: the two are not told apart."""

    status = 404
    code = "not_found"
    title_zh = "未找到"
    title_en = "Not found"


class InvalidRequest(Problem):
    """A field is wrong; ``errors`` says which and how."""

    status = 422
    code = "invalid_request"
    title_zh = "请求内容不符合要求"
    title_en = "The request is not valid"


class InvalidField(InvalidRequest):
    """One field is wrong by a rule of the domain."""

    def __init__(self, pointer: str, code: str, detail_en: str, detail_zh: str | None = None) -> None:
        error = FieldError(pointer=pointer, code=code, detail=detail_en)
        super().__init__(errors=[error], detail_en=detail_en, detail_zh=detail_zh or detail_en)


class IllegalTransition(Problem):
    """The object's state does not allow this act."""

    status = 409
    code = "illegal_transition"
    title_zh = "当前状态不允许此操作"
    title_en = "The current state does not allow this"

    def __init__(self, *, state: str, allowed: Sequence[str], **members: Any) -> None:
        super().__init__(
            state=state,
            allowed=sorted(allowed),
            detail_en=f"It is {state}; allowed: {', '.join(sorted(allowed)) or 'nothing'}.",
            detail_zh=f"当前状态:{state};允许的操作:{'、'.join(sorted(allowed)) or '无'}。",
            **members,
        )


class AlreadyExists(Problem):
    """The id or code is taken by another object."""

    status = 409
    code = "already_exists"
    title_zh = "已存在"
    title_en = "It exists already"


class StaleVersion(Problem):
    """``If-Match`` names a version that is not the current one."""

    status = 412
    code = "stale_version"
    title_zh = "数据已被更新,请刷新后重试"
    title_en = "The object has changed in the meantime"


class ReferenceNotYetKnown(Problem):
    """The reference data has not arrived here yet, or the reference is wrong."""

    status = 409
    code = "reference_not_yet_known"
    title_zh = "引用的数据尚未同步,请稍后重试"
    title_en = "The reference is not known here yet"

    def __init__(self, kind: str, reference: str) -> None:
        super().__init__(
            kind=kind,
            reference=reference,
            headers={"Retry-After": "1"},
            detail_en=f"The {kind} {reference} is not known here; if it is new, try again shortly.",
            detail_zh=f"本服务尚不知道 {kind} {reference};如为新建,请稍后重试。",
        )


class Unavailable(Problem):
    """Something we need does not answer; nothing was changed."""

    status = 503
    code = "unavailable"
    title_zh = "服务暂不可用,请稍后重试"
    title_en = "Not available now, please try again"

    def __init__(self, **members: Any) -> None:
        super().__init__(headers={"Retry-After": "2"}, **members)


class TooLarge(Problem):
    """The body is larger than accepted here."""

    status = 413
    code = "too_large"
    title_zh = "请求内容过大"
    title_en = "The body is too large"


class BadBody(Problem):
    """The body is not what its content type says."""

    status = 400
    code = "unreadable_body"
    title_zh = "无法解析请求内容"
    title_en = "The body cannot be read"


class InternalError(Problem):
    """Our fault; the trace id finds the reason in the logs."""

    status = 500
    code = "internal_error"
    title_zh = "系统内部错误"
    title_en = "Internal error"


class KeyRequired(Problem):
    """Apps, kiosks and integrations must send an ``Idempotency-Key`` with each write."""

    status = 400
    code = "idempotency_key_required"
    title_zh = "缺少 Idempotency-Key"
    title_en = "An Idempotency-Key is required"


class KeyMalformed(Problem):
    """The ``Idempotency-Key`` is not 1 to 128 visible ASCII characters."""

    status = 400
    code = "idempotency_key_malformed"
    title_zh = "Idempotency-Key 格式有误"
    title_en = "The Idempotency-Key is malformed"


class KeyReused(Problem):
    """The same key came before with another request."""

    status = 422
    code = "idempotency_key_reused"
    title_zh = "Idempotency-Key 已用于另一请求"
    title_en = "The Idempotency-Key was used for another request"
