"""Use: coloring photographs of one's own with a trained model.

May import methods, data, color and base; trains and measures nothing.
"""
