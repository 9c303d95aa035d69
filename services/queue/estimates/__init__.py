"""How long a customer will probably wait (等候时间预估)."""
