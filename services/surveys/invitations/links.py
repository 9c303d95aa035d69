"""The link of an invitation: a token of 128 bits derived from its id, printed again at will, never stored."""

from typing import Final, Protocol

from shared.db.uow import Uow

PURPOSE: Final = "survey_invitation"


class LinkTokens(Protocol):
    """What derives tokens; the keyring does, and so do the keys a unit of work carries."""

    def link_token(self, purpose: str, identifier: str) -> str:
        """The token of an object, the same at every call."""
        ...

    def token_hash(self, token: str) -> str:
        """What is stored of a token."""
        ...


def token_of(links: LinkTokens, invitation: str) -> str:
    """The link token of an invitation, 22 characters of base64url."""
    return links.link_token(PURPOSE, invitation)


def stored_hash(uow: Uow, invitation: str) -> str:
    """What the row of an invitation keeps of its token."""
    return uow.records.token_hash(token_of(uow.records, invitation))
