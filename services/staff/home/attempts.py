"""An attempt to sign in, as its browser keeps it: one cookie for ten minutes, from which everything else is derived.

``state``, ``nonce`` and the verifier are keyed hashes of the whole cookie, so none of it can be changed, and what comes
back fits no other browser and no other attempt. The database keeps nothing of those who never come back.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from shared.ids import token128
from shared.security.keyring import Keyring
from shared.web.forms import local_path
from shared.web.oidc import Attempt

COOKIE: Final = "wd_sign_in"
LASTS: Final = timedelta(minutes=10)
_LONGEST: Final = 600


class Begun(NamedTuple):
    """The attempt, and the page of ours that the person wanted to see."""

    attempt: Attempt
    next: str


def begin(at: datetime, path: str, *, anew: bool) -> str:
    """What the cookie of a new attempt holds."""
    wanted = base64.urlsafe_b64encode(path.encode()).rstrip(b"=").decode()
    return f"{token128()}.{int(at.timestamp())}.{int(anew)}.{wanted}"


def read(keyring: Keyring, cookie: str, at: datetime) -> Begun | None:
    """The attempt of a cookie, None without one or when it is over."""
    parts = cookie.split(".")
    if len(parts) != 4 or len(cookie) > _LONGEST or not parts[1].isdecimal() or len(parts[1]) > 11:
        return None
    begun = datetime.fromtimestamp(int(parts[1]), UTC)
    if not timedelta(seconds=-1) <= at - begun < LASTS:
        return None
    try:
        path = base64.urlsafe_b64decode(parts[3] + "=" * (-len(parts[3]) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    state, nonce, verifier = (keyring.keyed_hash(f"sign_in_{use}", cookie) for use in ("state", "nonce", "verifier"))
    return Begun(Attempt(state, nonce, verifier, begun, parts[2] == "1"), local_path(path))
