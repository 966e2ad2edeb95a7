"""Finds consistency, deadlock and message-loss bugs in inter-process communication.

A model says what a mechanism may do, real processes do it to real kernel objects, and a
checker decides whether what happened is something that the model allows.
"""

__version__ = "0.1.0"
