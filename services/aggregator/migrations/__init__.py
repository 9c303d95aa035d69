"""The migrations of the aggregator."""
