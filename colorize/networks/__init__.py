"""Networks, one file per family: modules only, no losses and no training."""
