"""Scales in words, wherever people rate (评价量表)."""

from typing import Final

from shared.web.i18n import N_

SATISFACTION: Final = (
    N_("Very dissatisfied"),
    N_("Dissatisfied"),
    N_("Neither"),
    N_("Satisfied"),
    N_("Very satisfied"),
)
"""The words of a scale of five, worst first."""
