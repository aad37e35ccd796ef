"""Names that stand in every table, whatever models there are."""

BASELINE = "zhang_l2"  # the model that all others are compared with

# Trivial colourings; colorize/evaluation.py makes them.
CONTROLS = ("gray_copy", "mean_color", "random_color", "quarter_oracle", "ground_truth")
