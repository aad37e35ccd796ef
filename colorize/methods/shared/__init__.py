"""What several methods share: what a method is, its keys, losses, and whole families of methods."""
