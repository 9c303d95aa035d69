"""Helpers of the suite: whole systems in a folder, real servers, a guide's coverage."""
