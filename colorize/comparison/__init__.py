"""Comparison: which of two rows is better, and how sure that is.

May import evaluation and base.
"""
