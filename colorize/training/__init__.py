"""Training, one loop for all methods: draws, steps, logs, checkpoints, interruptions.

May import data, methods, quality, color and base; draws no pictures.
"""
