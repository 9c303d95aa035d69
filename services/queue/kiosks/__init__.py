"""Kiosks (取号机): numbers on loan so that a cut line stops nobody, the replay of what happened, calls for help."""
