"""The staff service's own branch of migrations."""
