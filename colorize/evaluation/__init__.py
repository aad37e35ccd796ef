"""Evaluation: the same photographs, protocol and metrics for every model, baselines beside them.

May import data, methods, quality, color and base; knows nothing of training or pictures.
"""
