"""Colouring black-and-white photographs with GANs: data, methods, training, evaluation.

The library knows nothing of DVC and never reads params.yaml: the scripts in `stages/` hand it
validated parameters and paths.
"""
