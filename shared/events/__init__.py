"""How facts are told and heard: outbox, relay, consumer, parking."""
