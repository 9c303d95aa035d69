"""The kit's own branch of migrations: a kit change is one revision, not one per service."""
