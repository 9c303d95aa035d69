"""QR codes that a device draws by itself: the modules as bits, a tenth of the drawing's size."""

from base64 import b64encode

import segno


def modules(text: str) -> list[list[bool]]:
    """Rows of dark (True) and light modules, without the quiet zone; error correction M."""
    return [[bool(module) for module in row] for row in segno.make_qr(text, error="m").matrix]


def packed(text: str) -> str:
    """``33:`` and the modules row by row as bits, base64: what ``qr.js`` draws."""
    rows = modules(text)
    bits = "".join("1" if dark else "0" for row in rows for dark in row)
    size = -(-len(bits) // 8)
    return f"{len(rows)}:{b64encode(int(bits.ljust(size * 8, '0'), 2).to_bytes(size)).decode()}"


def drawn(text: str) -> tuple[int, str]:
    """The side with its quiet zone of four modules, and the path of an SVG that fills the dark ones."""
    rows = modules(text)
    parts = [f"M{x + 4} {y + 4}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return len(rows) + 8, "".join(parts)
