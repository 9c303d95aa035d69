"""The queue service: service catalogue, windows, tickets, wait quotes, imported history (排队叫号)."""
