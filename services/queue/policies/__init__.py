"""What a bank may decide about its halls (厅堂参数)."""
