"""Invitations (评价邀请): one for each completed visit, made by the system."""
