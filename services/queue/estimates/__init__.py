"""Wait quotes: how long a customer may expect to wait (等候预计)."""
