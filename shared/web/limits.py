"""Bodies are bounded before anything reads them (pure ASGI)."""

from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuses a body larger than ``limit`` (the paths in ``uploads``: ``upload_limit``), declared or not."""

    def __init__(self, app: ASGIApp, limit: int, upload_limit: int, uploads: Collection[str] = ()) -> None:
        self.app = app
        self._limit = limit
        self._upload_limit = upload_limit
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._upload_limit if scope["path"] in self._uploads else self._limit
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


async def _refuse(send: Send) -> None:
    body = (
        b'{"type":"https://wangdian.example/problems/too_large","title":"The body is too large","status":413,'
        b'"code":"too_large"}'
    )
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
