"""Business figures for Prometheus, read from tables at each scrape (业务指标采集)."""
