"""Measuring the whole search, as the product runs it, on people it has not met."""
