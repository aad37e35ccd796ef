"""Data: from the datasets' zips to photographs, their gray copies, index and statistics.

May import color and base; what the photographs are for is no business of theirs. What runs
in worker processes does without torch, which takes seconds to import.
"""
