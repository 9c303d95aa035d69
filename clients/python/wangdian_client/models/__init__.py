"""The shapes of requests and replies, one module per service: plain JSON objects, typed for the checker only."""
