"""What the screens of a branch are told as it happens (实时更新)."""
