"""Training, one loop for all methods: draws, steps, logs, checkpoints, interruptions.

May import data, methods, colorize.color and base; measuring and drawing results is not done here.
"""
