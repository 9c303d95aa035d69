"""The import of an old queue machine's history (历史数据导入)."""
