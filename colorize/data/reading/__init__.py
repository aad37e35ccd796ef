"""What later stages read of the data: which photographs there are, and their pixels."""
