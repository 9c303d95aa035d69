"""Qualifications (岗位资格): what a person may do, from when to when, and whether it was taken back."""
