"""What every package uses and no result depends on: errors, parameters, files, locks, signals,
processes, progress.

May import nothing of the project but itself. No stage depends on it: a comment in here must not
cost a day of training. So nothing in here may decide what a result is.
"""
