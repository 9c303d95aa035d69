"""The aggregator: facts folded into metrics, and improvements carried to a proven effect (闭环分析)."""
