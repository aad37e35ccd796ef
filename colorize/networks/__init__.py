"""Networks, one file each: modules only, without losses, data or training.

May import color and base. Published sizes are the defaults; a tiny network is the same
class with small numbers. What several of them share is in shared/.
"""
