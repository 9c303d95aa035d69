"""Refusals of the access layer, as problems."""

from shared.web.problems import Problem


class Unauthenticated(Problem):
    """No token, or none that is valid: 401 with ``WWW-Authenticate`` (RFC 6750 §3)."""

    status = 401
    code = "unauthenticated"
    title_zh = "未通过身份认证"
    title_en = "Not authenticated"

    @classmethod
    def missing(cls) -> "Unauthenticated":
        """The request carried no bearer token."""
        return cls(
            detail_zh="请求未携带访问令牌。",
            detail_en="The request carries no bearer token.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    @classmethod
    def invalid(cls, reason: str) -> "Unauthenticated":
        """The request carried a token that was refused; ``reason`` is a code of :class:`InvalidToken`."""
        return cls(
            detail_zh=f"访问令牌无效（{reason}）。",
            detail_en=f"The bearer token is not valid ({reason}).",
            headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{reason}"'},
            reason=reason,
        )


class Forbidden(Problem):
    """The caller is known, but none of its roles carries the scope: 403 naming the scope."""

    status = 403
    code = "forbidden"
    title_zh = "没有权限"
    title_en = "Forbidden"

    @classmethod
    def scope(cls, name: str) -> "Forbidden":
        """The caller lacks the scope ``name``."""
        return cls(
            detail_zh=f"此操作需要权限 {name}。",
            detail_en=f"This operation needs the scope {name}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{name}"'},
            scope=name,
        )


class IdentityUnavailable(Problem):
    """The keys of the token issuer cannot be read now: 503, so that a caller tries again and keeps its token."""

    status = 503
    code = "identity_unavailable"
    title_zh = "身份服务暂不可用"
    title_en = "Identity service unavailable"

    @classmethod
    def now(cls) -> "IdentityUnavailable":
        """The key set has never been read, or too long ago to be trusted."""
        return cls(
            detail_zh="暂时无法取得令牌签发方的公钥，请稍后重试。",
            detail_en="The token issuer's keys cannot be read at the moment; try again later.",
            headers={"Retry-After": "10"},
        )
