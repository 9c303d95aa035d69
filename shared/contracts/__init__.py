"""What crosses the bus: one module per producer, models and the enums in them."""
