"""Personal data encrypted field by field under its record's own key (字段加密)."""

from dataclasses import dataclass, field
from typing import Final

from shared.security.envelope import Unreadable, close, open_, parse
from shared.security.suites import Suite

_FIELD: Final = "field"


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one record (a row of ``table``), open in memory. Only :class:`Keyring` makes one."""

    id: str
    table: str
    row: str
    suite: Suite
    material: bytes = field(repr=False)

    def seal(self, column: str, value: str) -> str:
        """The text that ``column`` of this record keeps for ``value`` (format: :mod:`shared.security.envelope`)."""
        return close(self.suite, self.material, value.encode(), (self.id,), self._place(column))

    def reveal(self, column: str, sealed: str) -> str:
        """The value in ``sealed``.

        INVARIANT: a ciphertext opens only in the table, column and row it was sealed for; one copied to another place
        raises :class:`Unreadable` (proven by test_a_ciphertext_opens_only_in_its_place).
        """
        envelope = parse(sealed, keys=1)
        if envelope.keys != (self.id,) or envelope.suite is not self.suite:
            raise Unreadable("other_key")
        return open_(envelope, self.material, self._place(column)).decode()

    def _place(self, column: str) -> tuple[str, ...]:
        return (_FIELD, self.table, column, self.row)
