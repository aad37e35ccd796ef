"""The report: tables, curves, grids, and the page that holds them.

May import comparison, evaluation, methods, data, color and base; measures nothing. Drawing pictures
changes no number, so a training does not depend on it.
"""
