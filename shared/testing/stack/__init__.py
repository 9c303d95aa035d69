"""The distributed system on one machine, without containers: for `run-distributed`, system tests and chaos."""
