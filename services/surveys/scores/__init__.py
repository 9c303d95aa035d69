"""Scores (得分): what the answers of a unit and its subtree say, with their uncertainty."""
