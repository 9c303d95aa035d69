"""What every page is sent with: nothing but our own files, nothing inline, nothing kept by caches."""

from typing import Final

_POLICY: Final = (
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("img-src", "'self' data: blob:"),
    ("media-src", "'self'"),
    ("connect-src", "'self'"),
    ("manifest-src", "'self'"),
    ("worker-src", "'self'"),
    ("form-action", "'self'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
    ("report-uri", "/web/csp"),
)
DIRECTIVES: Final = frozenset(name for name, _ in _POLICY)
CSP: Final = "; ".join(f"{name} {sources}" for name, sources in _POLICY)
_NOTHING: Final = ("camera", "microphone", "geolocation", "payment", "usb", "serial", "bluetooth", "display-capture")


def page_headers() -> dict[str, str]:
    """The headers of an HTML reply."""
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": CSP,
        "referrer-policy": "same-origin",
        "permissions-policy": ", ".join(f"{name}=()" for name in _NOTHING),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "vary": "Cookie, Accept-Language, HX-Request",
    }
