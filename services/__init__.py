"""The services of the house: one package each; only `registry` and `__main__` know several."""
