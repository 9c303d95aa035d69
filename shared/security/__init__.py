"""Who may do what, what personal data looks like at rest, and proof of what was done (安全: 认证、授权、加密、审计)."""
