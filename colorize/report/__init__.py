"""The report: tables, curves, grids, and the page that holds them.

May import evaluation, data, colorize.color and base; measures nothing. Drawing pictures changes no
number, so a training or an evaluation does not depend on it.
"""
