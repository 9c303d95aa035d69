"""The migrations of the queue service."""
