"""Quality: how close a picture is to the true one, each image by itself.

May import color and base. Training's validation curves and evaluation share it.
"""
