"""What a database can answer besides rows, in words that do not depend on which database it is."""


class DatabaseError(Exception):
    """Base of the errors of the kit's databases."""


class UniqueConflict(DatabaseError):
    """A unique key or primary key already exists; ``constraint`` names it as the database does."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class IntegrityViolation(DatabaseError):
    """A CHECK, NOT NULL or foreign key refused the row."""


class ValueRefused(DatabaseError):
    """A value that no column can hold: a number beyond 64 bits, half a surrogate pair, NUL on PostgreSQL."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be used now: gone, read-only, full, locked. Nothing was changed; try again later."""
