"""Responses (评价): what the customer answered, once per invitation."""
