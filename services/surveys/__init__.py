"""The surveys service (满意度评价): questionnaires, invitations, responses and scores."""
