"""What the kiosk prints: the lines of the slip and the text of its QR code."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.queue.tickets.schemas import Quote


def qr_text(base_url: str, token: str) -> str:
    """The link of the ticket's page; the token is all it reveals."""
    return f"{base_url}/queue/t/{token}"


def minutes_up(seconds: int) -> int:
    """Whole minutes, rounded up: nobody is annoyed by a shorter wait."""
    return -(-seconds // 60)


def minutes_to_expect(p50: int | None, p80: int | None) -> tuple[int, int] | tuple[None, None]:
    """The range of a quote in minutes, as it is said and printed; nothing where there is no quote.
    From 0: it is the customer's turn at once."""
    return (None, None) if p50 is None or p80 is None else (minutes_up(p50), minutes_up(p80))


def lines(
    *, number: str, name_zh: str, name_en: str, ahead: int, quote: Quote, issued_at: datetime, zone: str
) -> list[str]:
    """The slip, top to bottom, Chinese and English side by side; the wait is a range in minutes or says why not."""
    low, high = minutes_to_expect(quote.p50, quote.p80)
    if low is None:
        wait = "预计等待 Estimated wait: --(暂无窗口办理该业务 no window open for it)"
    elif low == 0:
        wait = "预计等待 Estimated wait: 马上 about now"
    else:
        span = f"{low}" if low == high else f"{low}-{high}"
        wait = f"预计等待 Estimated wait: {span} 分钟 min"
    return [
        number,
        f"{name_zh} {name_en}",
        f"前面等候 Ahead of you: {ahead}",
        wait,
        issued_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S"),
        "请留意叫号,顺序可能调整 Please listen for your number; the order may change",
    ]
