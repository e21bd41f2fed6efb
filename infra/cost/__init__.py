"""What a month costs, from published prices."""
