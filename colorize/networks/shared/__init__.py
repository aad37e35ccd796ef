"""What several networks share: layers, and the discriminators of several methods."""
