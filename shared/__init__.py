"""The kit that every service is built with: one folder per question. Imports nothing from `services`."""
