"""The queue service: appointments, tickets, windows and the handling of business (排队叫号)."""
