"""Devices (设备): kiosks and boards, enrolled by a code on their screen, known by a key, revoked at once."""
