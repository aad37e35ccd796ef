"""Ways of coloring, one file each: its parameters, its networks, its losses, how it colors.

May import networks, color and base. Where training data come from, how long is trained and how
results are evaluated is no method's business. Each file defines `Parameters`, the keys
of an entry of `models` in params.yaml, and `Method`. What several of them share is in shared/.
"""
