"""Synthetic articulated human motion, for the quickstart and for tests."""

from .actions import make_person, make_synthetic_actions, perform

__all__ = ["make_person", "make_synthetic_actions", "perform"]
