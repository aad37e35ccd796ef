"""Ways of colouring, one file each: its parameters, networks, losses and training step.

Each module defines `Parameters`, the keys of an entry of `models` in params.yaml, and `Method`.
"""
