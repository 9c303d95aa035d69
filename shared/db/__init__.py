"""How data is kept: two databases, one unit of work, statements compiled once."""
