"""What operations sees of the system: logs without personal data, traces, metrics, liveness and readiness."""
