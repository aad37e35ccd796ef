"""Colouring black-and-white photographs with GANs, a room for each part of the pipeline.

    report, evaluation, training -> methods -> networks -> color, bins
                    |                             data -> color
                    +-> data                    everything -> base

An arrow says what may import what; each room's docstring says what it owns. The library knows
nothing of DVC and never reads params.yaml: the scripts in `stages/` hand it validated parameters
and paths.
"""
