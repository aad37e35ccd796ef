"""Evaluation: the same photographs, protocol and metrics for every model, baselines beside them.

May import data, methods, colorize.color and .bins, and base; knows nothing of training or pictures.
"""
