"""Bodies are bounded before anything reads them (pure ASGI)."""

from collections.abc import Collection

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.handlers import respond
from shared.web.problems import TooLarge


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
        # No body that is accepted needs more digits than these, and Python refuses to parse thousands of them.
        if not declared.isdigit() or len(declared) > 18 or int(declared) > limit:
            await respond(Request(scope), TooLarge())(scope, receive, send)
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
