"""The operations, one module per service."""
