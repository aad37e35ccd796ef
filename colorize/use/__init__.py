"""Use: colouring photographs of one's own with a trained model.

May import methods, data, colorize.color, colorize.bands and base; trains and measures nothing.
"""
