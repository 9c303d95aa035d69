"""The rooms of the `wangdian` command; with `registry` the only modules that know several services."""
