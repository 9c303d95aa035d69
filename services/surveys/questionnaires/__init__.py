"""Questionnaires (问卷): what customers are asked, in immutable versions."""
