"""The simple methods that a fusion must beat, each tuned on validation."""
